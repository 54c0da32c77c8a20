import fc from "fast-check";
import { expect, test } from "vitest";
import { redactFields, redactText } from "./redact.ts";

const canary = "canary-5f0c1d";
const secretNames = [
  "password",
  "newPassword",
  "token",
  "sessionToken",
  "ticket",
  "set-cookie",
  "Authorization",
  "api_key",
  "webhook_secrets",
  "credentials",
  "privateKey",
  "sealed",
];
const carriers = [
  `smtp://sewa:${canary}@mail.test:25`,
  `connect to postgres://u:${canary}@db/x failed`,
  `Bearer ${canary}`,
  `authorization: Basic ${canary}=`,
];

test("no canary comes through, however deep it stands, under whatever name of a secret, in whatever text", () => {
  const plain = fc.string({ maxLength: 8 }).filter((name) => name !== "toJSON");
  const planted: fc.Arbitrary<object> = fc.letrec<{ node: object }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(...secretNames).map((name) => ({ [name]: canary })),
      fc.constantFrom(...secretNames).map((name) => ({ [name]: [{ deep: canary }] })),
      fc.tuple(plain, fc.constantFrom(...carriers)).map(([name, text]) => ({ [name]: text })),
      fc.tuple(plain, tie("node")).map(([name, item]) => ({ [name]: item, other: 1 })),
      fc.tuple(plain, tie("node")).map(([name, item]) => ({ [name]: [item, "text"] })),
      tie("node").map((item) => ({ at: { toJSON: () => item } })),
    ),
  })).node;
  fc.assert(
    fc.property(planted, (fields) => {
      expect(JSON.stringify(redactFields(fields))).not.toContain(canary);
    }),
    { numRuns: 2_000 },
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
  expect(redactText("a bearer of good news came")).toBe("a bearer of good news came");
});

test("an object that holds itself comes to an end", () => {
  const fields: Record<string, unknown> = {};
  fields["self"] = fields;
  expect(JSON.stringify(redactFields(fields)).length).toBeLessThan(500);
});
