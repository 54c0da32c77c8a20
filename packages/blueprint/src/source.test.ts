import { describe, expect, test } from "vitest";
import { BlueprintError } from "./issue.ts";
import { readSource } from "./source.ts";

function refusal(text: string): { code: string; line: number; column: number; message: string } {
  try {
    readSource(text);
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    const { code, line, column, message } = error.issues[0]!;
    return { code, line, column, message };
  }
  throw new Error("The text was accepted.");
}

const aliasBomb = [
  "a: &a [x,x,x,x,x,x,x,x,x]",
  ..."bcdefghi".split("").map((name, index) => {
    const before = "abcdefghi"[index];
    return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
  }),
].join("\n");

describe("hostile text is refused with a place", () => {
  test.each([
    ["ten megabytes", "x".repeat(10_000_000), "TOO_LARGE", 1],
    ["more bytes than characters", "é".repeat(200_000), "TOO_LARGE", 1],
    ["B51 a billion laughs", aliasBomb, "ALIAS", 1],
    ["an anchor", "a: 1\nb: &x 2", "ALIAS", 2],
    ["an alias of nothing", "a: *x", "ALIAS", 1],
    ["B52 20,000 nested lists", "[".repeat(20_000), "TOO_COMPLEX", 1],
    ["20,000 nested mappings", "{a: ".repeat(20_000), "TOO_COMPLEX", 1],
    ["20,000 nested block lists", "- ".repeat(20_000), "TOO_COMPLEX", 1],
    [
      "300 levels of indentation",
      Array.from({ length: 300 }, (_, n) => `${" ".repeat(n)}a:`).join("\n"),
      "TOO_COMPLEX",
      80,
    ],
    ["33 closed lists", "[".repeat(33) + "]".repeat(33), "TOO_COMPLEX", 1],
    ["100,000 list items", `[${"1,".repeat(100_000)}]`, "TOO_COMPLEX", 1],
    ["5,500 keys with values", Array.from({ length: 5_500 }, (_, n) => `k${n}: 1`).join("\n"), "TOO_COMPLEX", 5_000],
    ["B53 a key written twice", "a: 1\nb: 2\na: 3", "DUPLICATE_KEY", 3],
    ["a key written twice in JSON", '{"a": 1,\n "a": 2}', "DUPLICATE_KEY", 2],
    ["two keys that read the same", "'1': a\n1: b", "DUPLICATE_KEY", 2],
    ["__proto__", "a:\n  __proto__: { polluted: true }", "FORBIDDEN_KEY", 2],
    ["constructor", '{"constructor": {"prototype": {}}}', "FORBIDDEN_KEY", 1],
    ["B53 two documents", "a: 1\n---\nb: 2", "MULTIPLE_DOCUMENTS", 2],
    ["60,000 documents", "---\n".repeat(60_000), "MULTIPLE_DOCUMENTS", 2],
    ["260,000 empty lines", "\n".repeat(260_000), "TOO_COMPLEX", 50_001],
    ["an older YAML", "%YAML 1.1\n---\na: no", "SYNTAX", 1],
    ["B53 a JavaScript tag", "a: !!js/function 'function () {}'", "TAG", 1],
    ["B53 a binary tag", "a: !!binary aGVsbG8=", "TAG", 1],
    ["a tag of a mapping", "a: !mine { b: 1 }", "TAG", 1],
    ["a list as a key", "? [a]\n: 1", "SYNTAX", 1],
    ["an unclosed quote", 'a: "x', "SYNTAX", 1],
    ["nothing", "", "SYNTAX", 1],
    ["a comment only", "# nothing", "SYNTAX", 1],
    ["infinity", "a: .inf", "INVALID_VALUE", 1],
    ["no number", "a: .nan", "INVALID_VALUE", 1],
    ["a number that loses digits", "a: 9007199254740993", "INVALID_VALUE", 1],
    ["a NUL", 'a: "x\\0y"', "INVALID_VALUE", 1],
    ["half of a surrogate pair", 'a: "\\ud800"', "INVALID_VALUE", 1],
  ])("%s", (_name, text, code, line) => {
    expect(refusal(text)).toMatchObject({ code, line });
  });

  test("and no prototype is changed", () => {
    expect(refusal('{"__proto__": {"polluted": true}}').code).toBe("FORBIDDEN_KEY");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("YAML and JSON with tabs read the same", () => {
  expect(readSource('{\n\t"a": [1, "x", true],\n\t"b": null\n}').value).toEqual(
    readSource("a: [1, x, true]\nb:\n").value,
  );
});

test("words that older YAML read as booleans stay words", () => {
  expect(readSource("a: no\nb: on\nc: 0o17\nd: 1_000").value).toEqual({ a: "no", b: "on", c: 15, d: "1_000" });
});

describe("a place is found", () => {
  const source = readSource("a:\n  - b: 1\n    c: 'two'\n");
  test.each([
    [["a", 0, "c"], {}, 3, 8],
    [["a", 0, "c"], { atKey: true }, 3, 5],
    [["a", 0, "missing"], {}, 2, 5],
    [["a", 7], {}, 2, 3],
    [["nowhere", "at", "all"], {}, 1, 1],
    [[], {}, 1, 1],
  ])("%j %j", (path, place, line, column) => {
    expect(source.locate(path, place)).toEqual({ line, column });
  });
});

describe("a character inside a text is found where it was written", () => {
  const needle = "#";
  test.each([
    ["plain", "a: one two #x".replace(" #", "#")],
    ["double quotes with escapes", 'a: "t\\tn\\n\\u0041\\x41 \\" #"'],
    ["double quotes over two lines", 'a: "one\n  two #"'],
    ["single quotes", "a: 'it''s #'"],
    ["a literal block", "a: |\n  one\n\n  two #\n"],
    ["a folded block", "a: >-\n  one\n  two\n  three #\n"],
    ["a block with an indentation hint", "a: |2-\n  one\n    #\n"],
  ])("%s", (_name, text) => {
    const source = readSource(text);
    const value = (source.value as { a: string }).a;
    const { line, column } = source.locate(["a"], { offset: value.indexOf(needle) });
    expect(text.split("\n")[line - 1]?.[column - 1]).toBe(needle);
  });
});
