import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBlueprint } from "./parse-blueprint.ts";
import { squidexText, uptimeKumaText } from "./testing/definitions.ts";
import { describeParameters, validateParameters } from "./validate-parameters.ts";

const blueprint = parseBlueprint(`parameters:
- { name: title, type: string, required: true, minLength: 2, maxLength: 5, label: Title }
- { name: nodes, type: integer, min: 1, max: 9, default: 3 }
- { name: ratio, type: number, min: 0, max: 1, step: 0.1 }
- { name: backup, type: boolean }
- { name: size, type: string, allowedValues: [{ value: s, label: Small }, { value: l }] }
- { name: note, type: string }
- { name: email, type: string, format: email }
`);

function messages(input: unknown): string[] {
  const result = validateParameters(blueprint, input);
  return result.ok ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`);
}

test("valid input comes back with defaults and nothing else", () => {
  expect(validateParameters(blueprint, { title: "shop", ratio: 0.3, backup: false, size: "l" })).toEqual({
    ok: true,
    values: { title: "shop", nodes: 3, ratio: 0.3, backup: false, size: "l" },
  });
});

describe("input that does not fit is refused by name", () => {
  test.each([
    [{}, "parameters.title: Title is required."],
    [{ title: null }, "parameters.title: Title is required."],
    [{ title: "x" }, "parameters.title: Write at least 2 characters."],
    [{ title: "123456" }, "parameters.title: Write at most 5 characters."],
    [{ title: 12 }, "parameters.title: Write a text."],
    [{ title: "a\0b" }, "parameters.title: The text holds a character that cannot be stored."],
    [{ title: "\ud800a" }, "parameters.title: The text holds a character that cannot be stored."],
    [{ title: "shop", email: "shop" }, "parameters.email: Write an e-mail address."],
    [{ title: "shop", email: "a@b.example, c@d.example" }, "parameters.email: Write an e-mail address."],
    [{ title: "shop", nodes: 0 }, "parameters.nodes: Write at least 1."],
    [{ title: "shop", nodes: 10 }, "parameters.nodes: Write at most 9."],
    [{ title: "shop", nodes: 1.5 }, "parameters.nodes: Write a whole number."],
    [{ title: "shop", nodes: "3" }, "parameters.nodes: Write a whole number."],
    [{ title: "shop", nodes: 3n }, "parameters.nodes: Write a whole number."],
    [{ title: "shop", ratio: Number.NaN }, "parameters.ratio: Write a finite number."],
    [{ title: "shop", ratio: 0.25 }, "parameters.ratio: Use steps of 0.1."],
    [{ title: "shop", backup: "true" }, "parameters.backup: Choose true or false."],
    [{ title: "shop", size: "m" }, "parameters.size: Choose one of s, l."],
    [{ title: "shop", size: ["s"] }, "parameters.size: Write a text."],
    [{ title: "shop", note: "x".repeat(1_001) }, "parameters.note: Write at most 1000 characters."],
    [{ title: "shop", admin: true }, "parameters.admin: There is no such parameter."],
    [JSON.parse('{"title": "shop", "__proto__": 1}'), "parameters.__proto__: There is no such parameter."],
    [null, "parameters: Send an object."],
    [["shop"], "parameters: Send an object."],
    ["shop", "parameters: Send an object."],
  ])("%#: %s %s", (input, message) => {
    expect(messages(input)).toEqual([message]);
  });

  test("all at once, at the place of the declaration", () => {
    const result = validateParameters(blueprint, { nodes: 0, size: "m" });
    expect(result.ok ? [] : result.issues.map(({ path, line }) => [path, line])).toEqual([
      ["parameters.title", 2],
      ["parameters.nodes", 3],
      ["parameters.size", 6],
    ]);
  });
});

test("whatever is sent, an answer comes back, and what is accepted is accepted again", () => {
  const keys = fc.constantFrom("title", "nodes", "ratio", "backup", "size", "note", "other");
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.dictionary(keys, fc.oneof(fc.anything(), fc.integer(), fc.constant("shop")))),
      (input) => {
        const result = validateParameters(blueprint, input);
        const again = result.ok ? validateParameters(blueprint, result.values) : result;
        expect(again).toEqual(result);
        expect(again.ok || again.issues.length > 0).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

describe("a form is told what it needs", () => {
  test("labels, types and choices", () => {
    const [domain, plan] = describeParameters(parseBlueprint(squidexText));
    expect(domain).toMatchObject({
      name: "domain",
      label: "Public Domain",
      required: true,
      display: true,
      allowedValues: null,
    });
    expect(plan?.allowedValues?.map(({ value }) => value)).toEqual(["cores_4", "cores_8", "cores_16"]);
  });
  test("defaults and bounds", () => {
    const [timeZone] = describeParameters(parseBlueprint(uptimeKumaText));
    expect(timeZone).toMatchObject({ name: "timeZone", default: "Asia/Jakarta", maxLength: 40, required: false });
    expect(describeParameters(blueprint)[1]).toMatchObject({
      label: "nodes",
      type: "integer",
      min: 1,
      max: 9,
      default: 3,
    });
  });
});
