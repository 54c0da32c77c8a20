import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scope } from "./scope.ts";
import { parseTemplate } from "./template.ts";
import { createTexts } from "./text.ts";

const scope: Scope = {
  roots: {
    parameters: { nodes: "int", any: "dyn", name: "string", isLarge: "bool", unset: "string" },
    env: { key: "string" },
    resources: { "my-db": { host: "string" } },
  },
  open: false,
};
const values = {
  parameters: { nodes: 3n, any: 4n, name: "shop", isLarge: true },
  env: { key: "secret" },
  resources: { "my-db": { host: "my-db" } },
};
const texts = createTexts(scope);
const evaluate = (text: string): unknown => {
  const result = texts.evaluate(text, values);
  return result.ok ? result.value : `! ${result.problem.message}`;
};

describe("what an expression comes to", () => {
  test.each([
    ["plain text", "plain text"],
    ["", ""],
    ["${parameters.nodes}", 3n],
    ["${parameters.nodes * 2 + (parameters.any + 1) * 4}", 26n],
    ["a${parameters.nodes}b${parameters.isLarge}", "a3btrue"],
    ["${parameters.nodes > 2 ? 'big' : \"small\"}", "big"],
    ["${parameters.name in ['shop', 'blog']}", true],
    ["${double(parameters.nodes) / 2.0}", 1.5],
    ["${parameters['name'].upperAscii()}", "SHOP"],
    ['${resources["my-db"].host}:5432', "my-db:5432"],
    ["${has(parameters.unset) ? parameters.unset : 'none'}", "none"],
    ["${'}' + \"{\"}", "}{"],
    ["$${parameters.nodes} costs $5 and $", "${parameters.nodes} costs $5 and $"],
    ["$$${parameters.nodes}", "$${parameters.nodes}"],
  ])("%s", (text, expected) => {
    expect(texts.check(text)).toEqual([]);
    expect(evaluate(text)).toBe(expected);
  });
});

describe("B54 B55 B56 B58 what is refused before it is evaluated", () => {
  test.each([
    ['${constructor.constructor("return process")()}', "EXPRESSION", /./],
    ["${constructor}", "EXPRESSION", /^Unknown name: constructor\.$/],
    ["${process.env}", "EXPRESSION", /^Unknown name: process\.$/],
    ["${parameters.__proto__.x}", "UNDECLARED_PARAMETER", /__proto__/],
    ['${parameters["constructor"]}', "UNDECLARED_PARAMETER", /constructor/],
    ["${parameters[env.key]}", "EXPRESSION", /between the brackets/],
    ["${parameters.typo}", "UNDECLARED_PARAMETER", /typo is not declared/],
    ["${env.typo}", "UNDECLARED_SETTING", /typo is not declared/],
    ["${resources.web.host}", "EXPRESSION", /^Unknown name: resources\.web\.$/],
    ["${parameters.name + parameters.nodes}", "EXPRESSION", /overload/],
    ["${parameters.nodes ** 999999999}", "EXPRESSION", /token/i],
    ['${"x".repeat(1000000000)}', "EXPRESSION", /Unknown function: repeat/],
    ["${parameters.name.matches('(a+)+$')}", "EXPRESSION", /Unknown function: matches/],
    ["${[1, 2, 3].map(x, x * 2)}", "EXPRESSION", /Unknown function: map/],
    ["${cel.bind(x, 1, x)}", "EXPRESSION", /Unknown function: bind/],
    ["${timestamp('2026-01-01T00:00:00Z')}", "EXPRESSION", /Unknown function: timestamp/],
    ["${{'a': 1}.a}", "EXPRESSION", /./],
    ["${b'bytes'}", "EXPRESSION", /literal/],
    ["${[1, 2]}", "EXPRESSION", /must be a text/],
    ["${null}", "EXPRESSION", /must be a text/],
    ["${parameters}", "EXPRESSION", /must be a text/],
    ["${1 + }", "EXPRESSION", /./],
    ["${}", "EXPRESSION", /empty/],
    ["${parameters.nodes", "EXPRESSION", /not closed/],
    [`\${${"1+".repeat(300)}1}`, "EXPRESSION", /Too complex/],
    [`\${${"(".repeat(100)}1${")".repeat(100)}}`, "EXPRESSION", /Too complex/],
    [`\${${"!".repeat(500)}true}`, "EXPRESSION", /Too complex/],
    [`\${"${"x".repeat(1_000_000)}"}`, "EXPRESSION", /Too complex/],
    [`\${[${"1,".repeat(90)}1].size()}`, "EXPRESSION", /Too complex/],
  ])("%s", (text, code, message) => {
    const [problem] = texts.check(text);
    expect(problem).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(texts.evaluate(text, values).ok).toBe(false);
  });

  test("each undeclared name once, at its own place, and the types of the rest are still checked", () => {
    const text = "x ${parameters.one + parameters.two} ${parameters.name + 1}";
    const found = texts.check(text).map(({ code, offset }) => [code, text.slice(offset, offset + 14)]);
    expect(found).toEqual([
      ["UNDECLARED_PARAMETER", "parameters.one"],
      ["UNDECLARED_PARAMETER", "parameters.two"],
      ["EXPRESSION", "parameters.nam"],
    ]);
  });
});

describe("B57 what fails while it is evaluated never becomes an empty text", () => {
  test.each([
    ["${parameters.nodes / 0}", "! Result is not a finite number."],
    ["${parameters.nodes % 0}", "! Result is not a finite number."],
    ["${1.0 / 0.0}", "! Result is not a finite number."],
    ["${1e400}", "! Invalid number: Infinity."],
    ["a ${parameters.unset} b", "! No such key: unset."],
    ["${9223372036854775807 + 1}", "! Integer overflow: 9223372036854775808."],
    ["${parameters.any + 'x'}", "! No such overload: dyn<int> + string."],
  ])("%s", (text, expected) => {
    expect(evaluate(text)).toBe(expected);
  });

  test("a result longer than 64 KiB", () => {
    const long = { ...values, parameters: { ...values.parameters, name: "x".repeat(1_000) } };
    const text = `\${${Array.from({ length: 40 }, () => "parameters.name").join("+")}}`.repeat(2);
    expect(texts.evaluate(text, long)).toMatchObject({ ok: false, problem: { message: "Result is too long." } });
  });
});

describe("for any text", () => {
  const piece = fc.constantFrom(
    ..."parameters. env. nodes name + - * / % ( ) [ ] { } ? : , . 1 2.5 'a' \" ' ${ } $${ == in true null has( size( matches( map( b'' r\" \\ /* // __proto__ constructor".split(
      " ",
    ),
    " ",
    "\n",
  );
  const fragment = fc.array(
    fc.oneof({ weight: 8, arbitrary: piece }, { weight: 1, arbitrary: fc.string({ unit: "binary" }) }),
    { maxLength: 25 },
  );

  test("checking and evaluating answer, and never throw", () => {
    fc.assert(
      fc.property(fragment, (pieces) => {
        for (const text of [pieces.join(""), `\${${pieces.join("")}}`]) {
          const problems = texts.check(text);
          const { ok } = texts.evaluate(text, values);
          expect({ text, isAccepted: problems.length > 0 && ok }).toEqual({ text, isAccepted: false });
          expect(problems.filter(({ offset }) => offset > text.length)).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("the parts of a text without $ are the text itself", () => {
    fc.assert(
      fc.property(
        fc.string().map((text) => text.replaceAll("$", "")),
        (text) => {
          expect(parseTemplate(text)).toEqual({ ok: true, parts: [{ literal: text }] });
        },
      ),
    );
  });

  test("whole numbers come out as exact integers", () => {
    const whole = fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n });
    fc.assert(
      fc.property(whole, whole, (nodes, any) => {
        const result = texts.evaluate("${parameters.nodes * parameters.any + 1}", {
          ...values,
          parameters: { nodes, any },
        });
        expect(result).toEqual({ ok: true, value: nodes * any + 1n });
      }),
    );
  });

  test("nothing inherited can be read", () => {
    const touched = new Set<PropertyKey>();
    const parameters = new Proxy({ nodes: 3n } as Record<string, bigint>, {
      get: (target, key) => {
        touched.add(key);
        return Reflect.get(target, key) as unknown;
      },
    });
    for (const text of [
      "${parameters.nodes + 1}",
      "${parameters.toString}",
      "${parameters.valueOf}",
      "${parameters['__proto__']}",
    ])
      texts.evaluate(text, { ...values, parameters });
    // The library asks for `constructor` to tell a plain object from others; no expression gets to see it.
    expect([...touched].filter((key) => typeof key === "string")).toEqual(["constructor", "nodes"]);
  });
});
