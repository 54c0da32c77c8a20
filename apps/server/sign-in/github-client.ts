import type { ProvenIdentity } from "@sewa/core";
import * as oidc from "openid-client";
import { z } from "zod";
import { answerUrl, beginParameters, type ProviderClient, tighten } from "./provider-client.ts";
import type { ProviderSettings } from "./settings.ts";

/** The number stays with an account for good; its name can be given up, and taken by somebody else. */
const userShape = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const emailsShape = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/** GitHub speaks OAuth 2 and no OpenID Connect: who somebody is, its API says. */
export function createGithubClient(settings: ProviderSettings): ProviderClient {
  const { issuer, clientId, clientSecret, webUrl = "", apiUrl = "" } = settings;
  const server = {
    issuer,
    authorization_endpoint: `${webUrl}/login/oauth/authorize`,
    token_endpoint: `${webUrl}/login/oauth/access_token`,
  };
  const config = tighten(
    new oidc.Configuration(server, clientId, { client_secret: clientSecret }, oidc.ClientSecretPost(clientSecret)),
    settings,
  );
  const read = async (accessToken: string, path: string): Promise<unknown> => {
    const headers = new Headers({ accept: "application/vnd.github+json", "user-agent": "sewa" });
    const url = new URL(`${apiUrl}${path}`);
    const response = await oidc.fetchProtectedResource(config, accessToken, url, "GET", null, headers);
    if (!response.ok) throw new Error(`GitHub answered ${path} with ${response.status}.`);
    return response.json();
  };
  return {
    settings,
    begin: async (way) => oidc.buildAuthorizationUrl(config, await beginParameters(way, "read:user user:email")),
    async finish(way, answer): Promise<ProvenIdentity> {
      const { access_token: accessToken } = await oidc.authorizationCodeGrant(config, answerUrl(way, answer), {
        pkceCodeVerifier: way.verifier,
        expectedState: way.state,
      });
      const user = userShape.parse(await read(accessToken, "/user"));
      const emails = emailsShape.parse(await read(accessToken, "/user/emails"));
      const primary = emails.find((email) => email.primary);
      return {
        issuer,
        subject: String(user.id),
        email: primary?.email ?? null,
        isEmailVerified: primary?.verified ?? false,
        name: user.name ?? user.login,
        provedAt: null,
      };
    },
  };
}
