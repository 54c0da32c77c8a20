import type { ProvenIdentity } from "@sewa/core";
import * as oidc from "openid-client";
import { boundedFetch } from "./bounded-fetch.ts";
import { answerUrl, beginParameters, type ProviderClient } from "./provider-client.ts";
import type { ProviderSettings } from "./settings.ts";

/** What a provider says of itself is read again after this. */
const metadataMs = 3_600_000;
/** Longer than the way to the provider and back may take. */
const maxAgeSeconds = 600;
const clockToleranceSeconds = 30;

/** OpenID Connect, with discovery. Signatures are checked although the token comes straight from the provider. */
export function createOidcClient(settings: ProviderSettings): ProviderClient {
  const configuration = createDiscovery(settings);
  return {
    settings,
    async begin(way) {
      const parameters = await beginParameters(way, "openid email profile");
      const fresh = way.purpose === "confirm" ? { max_age: "0", prompt: "login" } : {};
      return oidc.buildAuthorizationUrl(await configuration(), { ...parameters, ...fresh, nonce: way.nonce });
    },
    async finish(way, answer) {
      const config = await configuration();
      const tokens = await oidc.authorizationCodeGrant(config, answerUrl(way, answer), {
        pkceCodeVerifier: way.verifier,
        expectedState: way.state,
        expectedNonce: way.nonce,
        idTokenExpected: true,
        ...(way.purpose === "confirm" && { maxAge: maxAgeSeconds }),
      });
      return identify(config, settings, tokens);
    },
  };
}

/** One question at a time, its answer kept for a while; a failure is no answer. */
function createDiscovery(settings: ProviderSettings): () => Promise<oidc.Configuration> {
  let known: { readonly config: Promise<oidc.Configuration>; readonly at: number } | null = null;
  return () => {
    if (known !== null && performance.now() - known.at < metadataMs) return known.config;
    const config = discover(settings);
    const asked = { config, at: performance.now() };
    known = asked;
    config.catch(() => {
      if (known === asked) known = null;
    });
    return config;
  };
}

async function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<oidc.Configuration> {
  const metadata = { client_secret: clientSecret, [oidc.clockTolerance]: clockToleranceSeconds };
  return oidc.discovery(new URL(issuer), clientId, metadata, oidc.ClientSecretBasic(clientSecret), {
    [oidc.customFetch]: boundedFetch as oidc.CustomFetch,
    execute: [oidc.enableNonRepudiationChecks, ...(issuer.startsWith("http:") ? [oidc.allowInsecureRequests] : [])],
  });
}

/** The token says who; what it leaves out stands in the answer about the user. */
async function identify(
  config: oidc.Configuration,
  { issuer }: ProviderSettings,
  tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>,
): Promise<ProvenIdentity> {
  const claims = tokens.claims();
  if (claims === undefined) throw new Error("The provider sent no identity.");
  const hasMore = claims["email"] === undefined && config.serverMetadata().userinfo_endpoint !== undefined;
  const told = hasMore ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) : claims;
  const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
  return {
    issuer,
    subject: claims.sub,
    email: text(told["email"]),
    isEmailVerified: told["email_verified"] === true,
    name: text(told["name"]),
    provedAt: claims.auth_time === undefined ? null : new Date(claims.auth_time * 1_000),
  };
}
