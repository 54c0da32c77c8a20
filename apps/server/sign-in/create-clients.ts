import { createGithubClient } from "./github-client.ts";
import { createOidcClient } from "./oidc-client.ts";
import type { ProviderClient } from "./provider-client.ts";
import type { ProviderSettings } from "./settings.ts";

/** By name. Nobody is called before somebody signs in. */
export function createProviderClients(providers: readonly ProviderSettings[]): ReadonlyMap<string, ProviderClient> {
  return new Map(
    providers.map((settings) => [
      settings.name,
      settings.kind === "github" ? createGithubClient(settings) : createOidcClient(settings),
    ]),
  );
}
