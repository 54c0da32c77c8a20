/** A piece of a text: as it stands, or an expression with its position in the text (UTF-16 units). */
export type TemplatePart = { readonly literal: string } | { readonly expression: string; readonly offset: number };

export type Template =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly offset: number; readonly message: string };

/**
 * Splits `a ${x} b` into its parts. Braces inside an expression are counted and quoted strings are skipped, so that
 * `${ {"a": 1}.a }` and `${"}"}` end where they should. `$${` stands for the two characters `${`.
 */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let literal = "";
  let at = 0;
  while (at < text.length) {
    if (text.startsWith("$${", at)) {
      literal += "${";
      at += 3;
    } else if (text.startsWith("${", at)) {
      const end = findClosingBrace(text, at + 2);
      if (end === null) return { ok: false, offset: at, message: "The expression is not closed by }." };
      const expression = text.slice(at + 2, end);
      if (expression.trim() === "") return { ok: false, offset: at, message: "The expression is empty." };
      if (literal !== "") parts.push({ literal });
      literal = "";
      parts.push({ expression, offset: at + 2 });
      at = end + 1;
    } else {
      const next = text.indexOf("$", at + 1);
      const end = next === -1 ? text.length : next;
      literal += text.slice(at, end);
      at = end;
    }
  }
  if (literal !== "" || parts.length === 0) parts.push({ literal });
  return { ok: true, parts };
}

function findClosingBrace(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "'") {
      at = skipString(text, at, character);
    } else if (character === "{") {
      depth++;
    } else if (character === "}") {
      if (depth === 0) return at;
      depth--;
    }
  }
  return null;
}

function skipString(text: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === "\\" ? 2 : 1;
  return at;
}
