/** Text that is HTML already. Made by `html` alone, so whatever else stands between its pieces is escaped. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped, for content and for quoted attributes. */
export function html(
  pieces: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[])[]
): Markup {
  return new Markup(pieces.map((piece, index) => piece + toText(values[index])).join(""));
}

function toText(value: string | Markup | readonly Markup[] | undefined): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "string") return value.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
  return value.map(({ text }) => text).join("");
}
