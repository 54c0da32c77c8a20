import { randomInt } from "node:crypto";
import { appRouter, transformer } from "@sewa/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
let customer: Customer;
let operator: Customer;
let valid: Readonly<Record<string, unknown>>;
let keys = 0;

beforeAll(async () => {
  house = await startTestHouse({ limits: { callsPerMinutePerAddress: 1e6, callsPerMinutePerSession: 1e6 } });
  [customer, operator] = [await house.customer(), await house.operator()];
  const { instanceId, subscriptionId } = await orderFree(customer.api, "order-hostile");
  const [order] = (await customer.api.orders.list.query({})).items;
  const [invoice] = (await customer.api.invoices.list.query({})).items;
  const [operation] = (await customer.api.operations.list.query({})).items;
  const { organization, user } = await customer.api.auth.me.query();
  valid = {
    instanceId,
    subscriptionId,
    orderId: order?.id,
    planId: order?.planId,
    invoiceId: invoice?.id,
    operationId: operation?.id,
    organizationId: organization.id,
    userId: user.id,
    role: "viewer",
    invitationId: "ivt_00000000000000000000000001",
    priceKey: "0123456789abcdef0123456789abcdef",
    parameters: {},
    amount: { amountMinor: 1n, currency: "IDR" },
    reference: "1",
    confirmName: "Not it",
    name: "pc-2",
    slug: "uptime-kuma",
    to: new Date(0),
    email: "hostile@customer.test",
    password: "correct horse",
    newPassword: "correct horse",
    token: "sewa_v_x",
  };
});
afterAll(() => house[Symbol.asyncDispose]());

interface Definition {
  readonly type: "query" | "mutation" | "subscription";
  readonly inputs: readonly { readonly shape?: Readonly<Record<string, unknown>> }[];
}

const procedures = Object.entries(appRouter._def.procedures)
  .map(([path, procedure]) => ({ path, definition: (procedure as unknown as { _def: Definition })._def }))
  .filter(({ definition }) => definition.type !== "subscription");

const texts = [
  "",
  " ",
  "\0",
  "\ud800",
  "a".repeat(4_000),
  "' or 1=1; drop table users --",
  "${7*7}",
  "../../etc/passwd",
];
const moreTexts = [
  "😀".repeat(50),
  "\u202eabc",
  "__proto__",
  "constructor",
  "ins_00000000000000000000000000",
  "2026-13-45",
];
/** Base64url of JSON, as cursors are: `[""]`, `null`, `[]`, `[1e300]`. */
const cursors = ["WyIiXQ", "bnVsbA", "W10", "WzFlMzAwXQ"];
const numbers = [0, -1, 1.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0, 10n ** 40n, -1n];
const amounts = [
  { amountMinor: 10n ** 40n, currency: "IDR" },
  { amountMinor: 1n, currency: "\0" },
];
const objects = [
  [],
  {},
  [[[]]],
  ["a"],
  { $ne: null },
  { a: { b: { c: "d" } } },
  { "\0": "x" },
  { x: "\0" },
  { x: Number.NaN },
];
const names: unknown[] = [{ toString: "x" }, { hasOwnProperty: 1 }];
const dates = [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)];
const others = [null, undefined, true, new Map([["a", 1]]), new Set([1]), /(a+)+$/, new Error("x")];
const hostile: readonly unknown[] = [
  ...texts,
  ...moreTexts,
  ...cursors,
  ...numbers,
  ...amounts,
  ...objects,
  ...names,
  ...dates,
  ...others,
];

/** Of the values for one field, this share is tried, drawn anew each time; all of them with HOSTILE_ALL. The seed brings a draw back. */
const share = process.env["HOSTILE_ALL"] === undefined ? 1 / 3 : 1;
const seed = Number(process.env["HOSTILE_SEED"] ?? randomInt(2 ** 31));
let drawn = seed;

/** Mulberry32: the same draws for the same seed. */
function draw(): number {
  drawn = (drawn + 0x6d2b79f5) | 0;
  let value = Math.imul(drawn ^ (drawn >>> 15), 1 | drawn);
  value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
  return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
}

function inputOf(names: readonly string[], name: string, value: unknown): Record<string, unknown> {
  keys += 1;
  const input = Object.fromEntries(names.filter((other) => other in valid).map((other) => [other, valid[other]]));
  if (names.includes("idempotencyKey")) input["idempotencyKey"] = `hostile-${keys}`;
  return { ...input, [name]: value };
}

async function call(
  path: string,
  type: Definition["type"],
  input: unknown,
  token: string,
): Promise<{ status: number; text: string }> {
  const body = JSON.stringify(transformer.serialize(input));
  const url = `${house.url}/trpc/${path}`;
  const authorization = `Bearer ${token}`;
  const signal = AbortSignal.timeout(10_000);
  const response =
    type === "query"
      ? await fetch(`${url}?input=${encodeURIComponent(body)}`, { headers: { authorization }, signal })
      : await fetch(url, {
          method: "POST",
          body,
          headers: { authorization, "content-type": "application/json" },
          signal,
        });
  return { status: response.status, text: await response.text() };
}

test.each(procedures)(
  `$path has an answer to everything: none is a defect, none shows the machine room (HOSTILE_SEED=${seed})`,
  async ({ path, definition }) => {
    const names = Object.keys(definition.inputs[0]?.shape ?? {});
    const { token } = path.startsWith("admin.") ? operator : customer;
    const whole = hostile.map((value) => value as unknown);
    const parts = names.flatMap((name) =>
      hostile.filter(() => draw() < share).map((value) => inputOf(names, name, value)),
    );
    // The session of this test has to survive.
    const inputs = path === "auth.logOut" ? whole.filter((value) => value !== undefined) : [...whole, ...parts];
    for (let at = 0; at < inputs.length; at += 8) {
      const batch = inputs.slice(at, at + 8);
      const answers = await Promise.all(batch.map((input) => call(path, definition.type, input, token)));
      for (const [index, { status, text }] of answers.entries()) {
        const defect = status >= 500 || /select |insert into|node_modules|\bat .+:\d+:\d+/i.test(text);
        expect(defect ? { path, input: batch[index], status, text } : null).toBeNull();
      }
    }
  },
);
