/** One import, export-from, `import()` or `require()` of a file. */
export interface ImportOf {
  readonly specifier: string;
  readonly line: number;
  /** `import type`: gone when the program runs. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  /** The text with comments and the insides of strings blanked out, of the same length. */
  readonly code: string;
  readonly imports: readonly ImportOf[];
}

const FROM = /^[ \t]*(?:import|export)\b(?<type>\s+type\b)?(?:[^;"'()`]*?\bfrom)?\s*(?<quote>["'])/gm;
const CALL = /\b(?:import|require)\s*\(\s*(?<quote>["'`])/g;

export function parseSource(path: string, text: string): SourceFile {
  const code = maskNonCode(text);
  const imports: ImportOf[] = [];
  for (const pattern of [FROM, CALL]) {
    for (const match of code.matchAll(pattern)) {
      // Found in the code, read from the text: the inside of the string is blank in the code.
      const start = match.index + match[0].length;
      const end = code.indexOf(match.groups?.["quote"] ?? "", start);
      if (end === -1) continue;
      imports.push({
        specifier: text.slice(start, end),
        line: lineAt(text, start),
        typeOnly: match.groups?.["type"] !== undefined,
      });
    }
  }
  return { path, code, imports };
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

// After one of these a slash begins a regular expression; after anything else it divides.
const BEFORE_REGEX = /(?:^|[-(,=:[!&|?{};+*%<>~^\n]|\b(?:return|typeof|case|in|of|throw|await|yield|void|else|do))\s*$/;

/**
 * Blanks comments, strings, template texts and regular expressions, so that what is left is code. Quotes, line breaks and the
 * expressions inside of templates stay where they are.
 */
export function maskNonCode(text: string): string {
  const out = text.split("");
  const blank = (from: number, to: number): void => {
    for (let index = from; index < Math.min(to, text.length); index += 1) if (text[index] !== "\n") out[index] = " ";
  };
  // Each entry is the depth of braces in the expression of one open template.
  const templates: number[] = [];
  let index = 0;
  while (index < text.length) {
    const char = text[index];
    const next = text[index + 1];
    if (char === "/" && next === "/") {
      const end = endOf(text, index, "\n");
      blank(index, end);
      index = end;
    } else if (char === "/" && next === "*") {
      const end = endOf(text, index + 2, "*/") + 2;
      blank(index, end);
      index = end;
    } else if (char === '"' || char === "'") {
      const end = endOfString(text, index + 1, char);
      blank(index + 1, end);
      index = end + 1;
    } else if (char === "`" || (char === "}" && templates.at(-1) === 0)) {
      if (char === "}") templates.pop();
      const end = endOfTemplateText(text, index + 1);
      blank(index + 1, end);
      if (text[end] === "$") templates.push(0);
      index = end + (text[end] === "$" ? 2 : 1);
    } else if (char === "/" && BEFORE_REGEX.test(out.slice(Math.max(0, index - 20), index).join(""))) {
      const end = endOfRegex(text, index + 1);
      blank(index + 1, end);
      index = end + 1;
    } else {
      const open = templates.length - 1;
      if (char === "{" && open >= 0) templates[open] = (templates[open] ?? 0) + 1;
      if (char === "}" && open >= 0) templates[open] = (templates[open] ?? 0) - 1;
      index += 1;
    }
  }
  return out.join("");
}

function endOf(text: string, from: number, mark: string): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found;
}

function endOfString(text: string, from: number, quote: string): number {
  let index = from;
  while (index < text.length && text[index] !== quote && text[index] !== "\n") index += text[index] === "\\" ? 2 : 1;
  return index;
}

/** The index of the closing backtick, or of the dollar sign of the next expression. */
function endOfTemplateText(text: string, from: number): number {
  let index = from;
  while (index < text.length && text[index] !== "`" && !(text[index] === "$" && text[index + 1] === "{")) {
    index += text[index] === "\\" ? 2 : 1;
  }
  return index;
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  let index = from;
  for (; index < text.length && text[index] !== "\n"; index += text[index] === "\\" ? 2 : 1) {
    if (text[index] === "[") inClass = true;
    else if (text[index] === "]") inClass = false;
    else if (text[index] === "/" && !inClass) break;
  }
  return index;
}
