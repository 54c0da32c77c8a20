import { generateKeyPairSync, sign } from "node:crypto";
import type { RequestListener, ServerResponse } from "node:http";
import { listenOnLoopback } from "./test-provider.ts";

/** What the token says that is given out next, and how it is said. */
export interface Forgery {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** With a key that the provider does not publish. */
  readonly isSignedByAnother?: boolean;
  /** Instead of the answer at this path. */
  readonly instead?: Readonly<Record<string, (response: ServerResponse) => void>>;
}

export interface Forger extends AsyncDisposable {
  readonly issuer: string;
  /** From the address that the browser was sent to. */
  nonce: string;
  forgery: Forgery;
}

const keyPair = () => generateKeyPairSync("rsa", { modulusLength: 2_048 });

/** An OpenID provider that does whatever it should not. Its tokens are right but for what `forgery` says. */
export async function startForger(clientId: string): Promise<Forger> {
  const [own, another] = [keyPair(), keyPair()];
  const key = { ...own.publicKey.export({ format: "jwk" }), kid: "own", alg: "RS256", use: "sig" };
  const json = (response: ServerResponse, body: unknown): void =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  const answer: RequestListener = (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const instead = forger.forgery.instead?.[path];
    if (instead !== undefined) return instead(response);
    if (path === "/.well-known/openid-configuration")
      return json(response, { ...metadata(), ...forger.forgery.metadata });
    if (path === "/jwks") return json(response, { keys: [key] });
    if (path === "/token") return json(response, { access_token: "access", token_type: "bearer", id_token: token() });
    response.writeHead(404).end();
  };
  const listening = await listenOnLoopback(answer);
  const issuer = listening.url;
  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  });
  const token = (): string => {
    const now = Math.floor(Date.now() / 1_000);
    const right = { iss: issuer, aud: clientId, sub: "forged", iat: now, exp: now + 300, nonce: forger.nonce };
    const claims = { ...right, email: "forged@provider.test", email_verified: true, ...forger.forgery.claims };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "own" })}.${part(claims)}`;
    const { privateKey } = forger.forgery.isSignedByAnother === true ? another : own;
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  const forger: Forger = {
    issuer,
    nonce: "",
    forgery: {},
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
  return forger;
}
