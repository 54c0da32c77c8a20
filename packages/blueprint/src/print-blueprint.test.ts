import fc from "fast-check";
import { expect, test } from "vitest";
import { checkBlueprint } from "./check-blueprint.ts";
import { parseBlueprint, printBlueprint } from "./parse-blueprint.ts";
import { resolveBlueprint } from "./resolve-blueprint.ts";
import { instance, planLimits } from "./testing/definitions.ts";

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const words = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .filter((text) => text.trim() !== "" && !text.includes("\0"));
// Texts that YAML could take for something else when they are printed without quotes.
const tricky = fc.constantFrom(
  "no",
  "null",
  "~",
  "1e3",
  "0x10",
  "- a",
  "# x",
  "a: b",
  "'",
  '"',
  "|",
  "> x",
  "@a",
  "*a",
  "&a",
  "!!b",
  "%c",
  "\t x",
  "a\nb\n",
  "  a",
);
const plain = fc.oneof(words, tricky).map((text) => text.replaceAll("$", ""));

const workload = fc.record({
  id: label,
  image: fc.constantFrom("a/b:1.2.3", `r.example:5000/a/b@sha256:${"a".repeat(64)}`),
  env: fc.dictionary(
    fc.stringMatching(/^[A-Z_]{1,8}$/),
    fc.oneof(plain, fc.integer(), fc.boolean(), fc.constant("${parameters.count + 1}")),
    { maxKeys: 4 },
  ),
  args: fc.array(plain, { maxLength: 3 }),
  files: fc.uniqueArray(
    fc.record({ path: label.map((name) => `/etc/${name}`), content: fc.oneof(plain, fc.constant("${HOME}")) }),
    { selector: ({ path }) => path, maxLength: 3 },
  ),
});

const definition = fc
  .record({
    name: plain.filter((text) => text.trim() !== ""),
    price: fc.nat({ max: 10 ** 9 }),
    deadline: fc.integer({ min: 60, max: 3_600 }),
    workloads: fc.uniqueArray(workload, { selector: ({ id }) => id, minLength: 1, maxLength: 4 }),
  })
  .map(({ name, price, deadline, workloads }) => ({
    name,
    license: { name: "MIT", commercialHosting: "allowed" },
    provisionDeadlineSeconds: deadline,
    parameters: [{ name: "count", type: "integer", default: 2, min: 0 }],
    prices: [{ amount: price }],
    exposed: { workload: workloads[0]!.id, port: "http" },
    resources: workloads.map((app) => ({
      ...app,
      type: "kubernetes-workload",
      ports: [{ name: "http", port: 8080 }],
      share: { cpu: 1 / workloads.length, memory: 1 / workloads.length },
      security: { runAsUser: 1_000 },
    })),
  }));

test("any valid definition survives being printed and read again, can be published, and resolves alike", () => {
  fc.assert(
    fc.property(definition, (input) => {
      const first = parseBlueprint(JSON.stringify(input));
      const again = parseBlueprint(printBlueprint(first.definition));
      expect(again.definition).toEqual(first.definition);
      expect(printBlueprint(again.definition)).toBe(printBlueprint(first.definition));
      expect(checkBlueprint(first, "publish")).toEqual([]);
      const resolved = resolveBlueprint(first, { values: { count: 4 }, limits: planLimits, instance });
      expect(resolveBlueprint(again, { values: { count: 4 }, limits: planLimits, instance })).toEqual(resolved);
      expect(resolved.workloads.map(({ env }) => env.length)).toEqual(
        input.resources.map(({ env }) => Object.keys(env).length),
      );
    }),
    { numRuns: 300 },
  );
});
