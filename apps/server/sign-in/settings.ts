import type { SignInProvider } from "@sewa/core";

/** A provider as the operator has registered us there. */
export interface ProviderSettings extends SignInProvider {
  readonly kind: "oidc" | "github";
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of GitHub alone: where it answers browsers, and where programs. */
  readonly webUrl?: string;
  readonly apiUrl?: string;
}

export const googleIssuer = "https://accounts.google.com";
/** Its login pages name themselves so. */
const githubIssuerPath = "/login/oauth";

/** `webUrl`: github.com, or a GitHub Enterprise Server, which has its API under the same address. */
export function githubSettings(
  client: { readonly clientId: string; readonly clientSecret: string },
  webUrl: string,
  apiUrl: string = webUrl === "https://github.com" ? "https://api.github.com" : `${webUrl}/api/v3`,
): ProviderSettings {
  const issuer = `${webUrl}${githubIssuerPath}`;
  return { kind: "github", name: "github", label: "GitHub", issuer, canConfirm: false, webUrl, apiUrl, ...client };
}
