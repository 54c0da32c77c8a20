import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

/** A person with an account at the provider. */
export interface Person {
  readonly subject: string;
  readonly email: string;
  readonly isEmailVerified: boolean;
  readonly name: string;
}

export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Once it is known where the house listens. */
  register(redirectUri: string): void;
  /** Who logs in there from now on. */
  person: Person;
}

const lifeSeconds = 600;

/** Listens on 127.0.0.1; answers are `listener`'s, which may be set later. */
export async function listenOnLoopback(
  listener: RequestListener,
): Promise<{ readonly url: string; readonly server: Server } & AsyncDisposable> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A real OpenID provider, whose log-in and consent are given by whoever asks for them, as `person`. */
export async function startTestProvider(): Promise<TestProvider> {
  let answer: RequestListener = (_, response) => void response.writeHead(503).end();
  const listening = await listenOnLoopback((request, response) => answer(request, response));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const clientId = "sewa";
  const clientSecret = "secret-of-the-house-at-the-provider";
  const test: TestProvider = {
    issuer: listening.url,
    clientId,
    clientSecret,
    person: { subject: "ana-1", email: "ana@provider.test", isEmailVerified: true, name: "Ana" },
    register(redirectUri) {
      const people = new Map<string, Person>();
      const provider = new Provider(listening.url, {
        clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
        claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
        features: { devInteractions: { enabled: false } },
        cookies: { keys: ["key-of-a-test"] },
        jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" }] },
        ttl: {
          AccessToken: lifeSeconds,
          Grant: lifeSeconds,
          IdToken: lifeSeconds,
          Interaction: lifeSeconds,
          Session: lifeSeconds,
        },
        pkce: { required: () => true },
        interactions: { url: (_, { uid }) => `/interaction/${uid}` },
        findAccount: (_, sub) => {
          const person = people.get(sub);
          if (person === undefined) return undefined;
          const { subject, email, isEmailVerified, name } = person;
          return {
            accountId: subject,
            claims: () => ({ sub: subject, email, email_verified: isEmailVerified, name }),
          };
        },
      });
      const handle = provider.callback();
      answer = (request, response) => {
        if (request.url?.startsWith("/interaction/") !== true) return void handle(request, response);
        void (async () => {
          const { prompt, params, grantId } = await provider.interactionDetails(request, response);
          people.set(test.person.subject, test.person);
          if (prompt.name === "login") {
            const login = { accountId: test.person.subject };
            return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
          }
          const grant =
            (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
            new provider.Grant({
              accountId: test.person.subject,
              clientId: String(params["client_id"]),
            });
          grant.addOIDCScope("openid email profile");
          const consent = { grantId: await grant.save() };
          return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
        })().catch(() => response.writeHead(500).end());
      };
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
  return test;
}
