import type { Finding } from "./finding.ts";
import { createTexts } from "../expression/text.ts";
import type { Texts } from "../expression/text.ts";
import { buildScope } from "../scopes.ts";
import type { BlueprintDefinition } from "../schema/definition.ts";
import { listTextSites } from "../text-sites.ts";
import type { TextSite } from "../text-sites.ts";

/** Every expression is parsed and its types are checked against what the definition declares. */
export function checkExpressions(definition: BlueprintDefinition): Finding[] {
  const scopes = new Map<string, Texts>();
  const textsFor = (site: TextSite): Texts => {
    const key = [site.scope, ...site.mappings].join(" ");
    const texts = scopes.get(key) ?? createTexts(buildScope(definition, site.scope, site.mappings));
    scopes.set(key, texts);
    return texts;
  };
  return [...listTextSites(definition)].flatMap((site) =>
    textsFor(site)
      .check(site.text)
      .map(({ code, offset, message }): Finding => {
        const level = code === "EXPRESSION" ? "error" : "tolerable";
        return { code, level, path: site.path, offset, message };
      }),
  );
}
