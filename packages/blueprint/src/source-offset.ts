import type { Scalar } from "yaml";

const isBlank = (character: string | undefined): boolean => character === undefined || /\s/.test(character);
/** Source characters that a backslash escape of a double-quoted scalar takes, where it is not two. */
const escapeLength: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };
/** Escapes that stand for blanks, and so have no counterpart among the visible characters of the value. */
const blankEscapes = new Set(["n", "t", "r", "v", "f", " ", "\t", "N", "_", "L", "P", "\n"]);

/**
 * Where in `text` the character at `offset` of a scalar's value was written. Quotes, escapes, folded lines and
 * indentation make the two differ, but the visible characters keep their order: the n-th of the value is the n-th of
 * the source. An offset that points at a blank answers with the next visible character.
 */
export function sourceOffset(text: string, scalar: Scalar, offset: number): number {
  const [start, end] = scalar.range ?? [0, 0];
  const value = typeof scalar.value === "string" ? scalar.value : (scalar.source ?? "");
  let visible = 0;
  for (let index = 0; index < offset && index < value.length; index++) if (!isBlank(value[index])) visible++;

  let at = start;
  if (scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED") at = text.indexOf("\n", start) + 1;
  else if (scalar.type === "QUOTE_DOUBLE" || scalar.type === "QUOTE_SINGLE") at = start + 1;

  while (at < end) {
    const { length, shown } = readCharacter(text, at, scalar.type);
    if (shown && visible-- === 0) return at;
    at += length;
  }
  return start;
}

function readCharacter(text: string, at: number, type: Scalar["type"]): { length: number; shown: boolean } {
  const character = text[at];
  const next = text[at + 1] ?? "";
  if (type === "QUOTE_DOUBLE" && character === "\\")
    return { length: escapeLength[next] ?? 2, shown: !blankEscapes.has(next) };
  if (type === "QUOTE_SINGLE" && character === "'" && next === "'") return { length: 2, shown: true };
  return { length: 1, shown: !isBlank(character) };
}
