import fc from "fast-check";
import { expect, test } from "vitest";
import { redactFields, redactText, redactValue } from "./redact.ts";
import { canary, plantedObjects } from "./testing/planted.ts";

const runs = 1_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

test(`F22 no canary comes through, however deep it stands, under whatever name of a secret, in whatever text or object (${runs} runs)`, () => {
  fc.assert(
    fc.property(plantedObjects(), (fields) => {
      expect(JSON.stringify(redactFields(fields))).not.toContain(canary);
      expect(JSON.stringify(redactValue([fields]))).not.toContain(canary);
    }),
    { numRuns: runs },
  );
});

test("what is no secret stays as it is", () => {
  const at = new Date("2026-03-02T03:00:00Z");
  const fields = {
    event: "order.placed",
    count: 3,
    hasToken: true,
    tokens: 2,
    password: null,
    at,
    url: "http://127.0.0.1:3000/a@b",
    n: 1n,
  };
  expect(redactFields(fields)).toEqual({ ...fields, at: at.toISOString() });
  for (const text of ["a bearer of good news came", "token: 7 of 9", "sewa_calls_total", "?a=b&limit=10"])
    expect(redactText(text)).toBe(text);
});

test("an object that holds itself comes to an end", () => {
  const fields: Record<string, unknown> = {};
  fields["self"] = fields;
  expect(JSON.stringify(redactFields(fields)).length).toBeLessThan(500);
});
