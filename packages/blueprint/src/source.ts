import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { CST, Document, Node, ParsedNode, Scalar } from "yaml";
import { BlueprintError } from "./issue.ts";
import type { BlueprintIssueCode } from "./issue.ts";
import { limits } from "./limits.ts";
import type { Path, Place, Position, Source } from "./position.ts";
import { sourceOffset } from "./source-offset.ts";

const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/** Reads one document within `limits`. Throws BlueprintError at the first thing that is wrong. */
export function readSource(text: string, filename?: string): Source {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refuse: Refuse = (code, offset, message) => {
    throw new BlueprintError([{ code, severity: "error", path: "", ...position(offset), message }], filename);
  };

  const document = compose(text, lines, refuse);
  const root = document.contents;
  if (root === null) return refuse("SYNTAX", 0, "The definition is empty.");
  const value = toPlainValue(root, refuse);
  return {
    filename,
    value,
    locate: (path, place = {}) => position(findOffset(root, text, path, place)),
  };
}

type Refuse = (code: BlueprintIssueCode, offset: number, message: string) => never;

function compose(text: string, lines: LineCounter, refuse: Refuse): Document.Parsed {
  if (text.length > limits.textBytes || new TextEncoder().encode(text).length > limits.textBytes)
    refuse("TOO_LARGE", 0, `The definition is larger than ${limits.textBytes / 1024} KiB.`);

  const composer = new Composer({ version: "1.2", schema: "core", merge: false, uniqueKeys: false, strict: true });
  // Asked for one by one: a text may hold sixty thousand documents, and the second already is one too many.
  const documents = composer.compose(readTokens(text, lines, refuse), true, text.length);
  const first = documents.next().value ?? undefined;
  const second = documents.next().value ?? undefined;
  if (first === undefined) return refuse("SYNTAX", 0, "The definition is empty.");
  if (second !== undefined) return refuse("MULTIPLE_DOCUMENTS", second.range[0], "Write one document per file.");
  const error = first.errors[0];
  if (error !== undefined) return refuse("SYNTAX", error.pos[0], error.message);
  return first;
}

/** Watches the depth while the text is read, because what comes after walks the tree by recursion. */
function* readTokens(text: string, lines: LineCounter, refuse: Refuse): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > limits.lexemes) refuse("TOO_COMPLEX", parser.offset, "The definition has too many parts.");
    for (const token of parser.next(lexeme)) {
      // `%YAML 1.1` would turn words such as `no` and `on` into booleans, and `%TAG` is for tags.
      if (token.type === "directive") refuse("SYNTAX", token.offset, "Directives are not allowed.");
      yield token;
    }
    if (parser.stack.length > limits.parserStack)
      refuse("TOO_COMPLEX", parser.offset, `The definition is nested deeper than ${limits.depth} levels.`);
  }
  yield* parser.end();
}

function toPlainValue(root: ParsedNode, refuse: Refuse): unknown {
  let nodes = 0;
  return visit(root, 1);

  function visit(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    const offset = node.range?.[0] ?? 0;
    if (++nodes > limits.nodes) return refuse("TOO_COMPLEX", offset, "The definition has too many parts.");
    if (isAlias(node)) return refuse("ALIAS", offset, "Aliases are not allowed.");
    if ("anchor" in node && node.anchor !== undefined) return refuse("ALIAS", offset, "Anchors are not allowed.");
    if (node.tag !== undefined) return refuse("TAG", offset, "Tags are not allowed.");
    if (isScalar(node)) return scalarValue(node, offset, refuse);
    if (depth > limits.depth)
      return refuse("TOO_COMPLEX", offset, `The definition is nested deeper than ${limits.depth} levels.`);
    if (isSeq(node)) return node.items.map((item) => visit(item as Node | null, depth + 1));
    if (!isMap(node)) return refuse("SYNTAX", offset, "Write a mapping, a list or a value.");

    const result: Record<string, unknown> = {};
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = keyName(key as Node, offset, refuse);
      const at = (key as Scalar).range?.[0] ?? offset;
      if (forbiddenKeys.has(name)) return refuse("FORBIDDEN_KEY", at, `The key ${name} is not allowed.`);
      if (seen.has(name)) return refuse("DUPLICATE_KEY", at, `The key ${name} stands here twice.`);
      seen.add(name);
      nodes++;
      const plain = visit(value as Node | null, depth + 1);
      // `description:` with nothing after it means the same as no description.
      if (plain !== null) result[name] = plain;
    }
    return result;
  }
}

function keyName(key: Node, offset: number, refuse: Refuse): string {
  if (!isScalar(key)) return refuse("SYNTAX", key.range?.[0] ?? offset, "A key must be a plain text.");
  if (key.tag !== undefined || key.anchor !== undefined)
    return refuse("TAG", key.range?.[0] ?? offset, "A key must be a plain text.");
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

function scalarValue(node: Scalar, offset: number, refuse: Refuse): unknown {
  const value = node.value;
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed())
      return refuse("INVALID_VALUE", offset, "The text holds a character that cannot be stored.");
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return refuse("INVALID_VALUE", offset, "Write a finite number.");
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return refuse("INVALID_VALUE", offset, "The number is too large to be exact; write it as a text.");
    return value;
  }
  if (typeof value === "boolean" || value === null) return value;
  return refuse("TAG", offset, "Write a text, a number, true, false or null.");
}

function findOffset(root: ParsedNode, text: string, path: Path, place: Place): number {
  let node: Node = root;
  let offset = root.range[0];
  for (const [depth, part] of path.entries()) {
    let next: unknown = null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && (key.value === part || key.source === part));
      const keyOffset = (pair?.key as Scalar | undefined)?.range?.[0];
      if (pair === undefined || keyOffset === undefined) return offset;
      offset = keyOffset;
      if (place.atKey === true && depth === path.length - 1) return offset;
      next = pair.value;
    } else if (isSeq(node) && typeof part === "number") {
      next = node.items[part];
    }
    if (next === null || next === undefined) return offset;
    node = next as Node;
    offset = node.range?.[0] ?? offset;
  }
  if (place.offset === undefined || !isScalar(node)) return offset;
  return sourceOffset(text, node, place.offset);
}
