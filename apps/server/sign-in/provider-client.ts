import { createHmac } from "node:crypto";
import type { ProvenIdentity, SignInPurpose } from "@sewa/core";
import * as oidc from "openid-client";
import { boundedFetch } from "./bounded-fetch.ts";
import type { ProviderSettings } from "./settings.ts";

/** Where somebody is on their way, with what this browser alone knows. */
export interface Way {
  readonly purpose: SignInPurpose;
  /** Exactly as it is registered at the provider. */
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
}

/** What talks to one provider: authorization code, with PKCE. */
export interface ProviderClient {
  readonly settings: ProviderSettings;
  /** Where the browser is sent. Rejects when the provider cannot be asked for it. */
  begin(way: Way): Promise<URL>;
  /** Exchanges what the browser brought back for whom the provider has seen. Rejects for whatever is not as it has to be. */
  finish(way: Way, answer: URLSearchParams): Promise<ProvenIdentity>;
}

/** Neither is stored anywhere: both follow from the state and what only this browser holds. */
export function secretsOf(browser: string, state: string): Pick<Way, "verifier" | "nonce"> {
  const derive = (use: string): string => createHmac("sha256", browser).update(`${use}:${state}`).digest("base64url");
  return { verifier: derive("verifier"), nonce: derive("nonce") };
}

export async function beginParameters(way: Way, scope: string): Promise<Record<string, string>> {
  return {
    redirect_uri: way.redirectUri,
    scope,
    state: way.state,
    code_challenge: await oidc.calculatePKCECodeChallenge(way.verifier),
    code_challenge_method: "S256",
  };
}

/** Every call is bounded; plain HTTP is spoken with a provider on this machine alone, which is the environment's to refuse. */
export function tighten(config: oidc.Configuration, { issuer }: ProviderSettings): oidc.Configuration {
  config[oidc.customFetch] = boundedFetch as oidc.CustomFetch;
  if (issuer.startsWith("http:")) oidc.allowInsecureRequests(config);
  return config;
}

export function answerUrl({ redirectUri }: Way, answer: URLSearchParams): URL {
  const url = new URL(redirectUri);
  url.search = answer.toString();
  return url;
}
