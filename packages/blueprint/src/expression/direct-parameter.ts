import { parseTemplate } from "./template.ts";

/** The parameter's name where the whole text is `${parameters.name}`. */
export function directParameter(text: string): string | null {
  const template = parseTemplate(text);
  const [part] = template.ok && template.parts.length === 1 ? template.parts : [];
  if (part === undefined || "literal" in part) return null;
  return /^\s*parameters\.([A-Za-z][A-Za-z0-9_]*)\s*$/.exec(part.expression)?.[1] ?? null;
}
