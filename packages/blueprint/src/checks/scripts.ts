import { parseTemplate } from "../expression/template.ts";
import type { Path } from "../position.ts";
import { isWorkload } from "../schema/workload.ts";
import type { BlueprintDefinition } from "../schema/definition.ts";
import type { Finding } from "./finding.ts";

/** Flags after which shells and interpreters read the next word as a program. */
const scriptFlag = /^(?:-[a-z]*[ce]|--eval|--command)$/;
/** Names whose values a customer types. */
const typedByCustomer = /\b(?:parameters|mappings|instance\s*\.\s*name)\b/;

/**
 * A text that a customer typed must not become part of a program: `sh -c "echo ${parameters.title}"` runs whatever the
 * title says. Environment variables carry it safely.
 */
export function checkScripts(definition: BlueprintDefinition): Finding[] {
  const containers = definition.resources.flatMap((resource, index) =>
    isWorkload(resource) ? [{ container: resource, path: ["resources", index] as Path }] : [],
  );
  const claim = definition.claim === undefined ? [] : [{ container: definition.claim, path: ["claim"] as Path }];
  return [...containers, ...claim].flatMap(({ container, path }) => {
    const words = (["command", "args"] as const).flatMap((key) =>
      (container[key] ?? []).map((text, index) => ({ text, path: [...path, key, index] })),
    );
    return words.flatMap((word, index): Finding[] => {
      if (!scriptFlag.test(words[index - 1]?.text ?? "")) return [];
      const offset = customerOffset(word.text);
      if (offset === null) return [];
      const message = "What a customer types would run as part of this script; hand it over in env.";
      return [{ code: "INJECTION", level: "error", path: word.path, offset, message }];
    });
  });
}

function customerOffset(text: string): number | null {
  const template = parseTemplate(text);
  if (!template.ok) return null;
  for (const part of template.parts)
    if ("expression" in part && typedByCustomer.test(part.expression)) return part.offset;
  return null;
}
