import { randomInt } from "node:crypto";
import { appRouter, transformer } from "@sewa/api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { hostileValues } from "./test-hostile-values.ts";
import { type Customer, orderFree, startTestHouse, type TestHouse } from "./test-house.ts";
import { brokenOf } from "./test-schema-broken.ts";
import { accepts } from "./test-schema-rules.ts";
import { valuesOf } from "./test-schema-values.ts";

let house: TestHouse;
let customer: Customer;
let operator: Customer;
let known: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  house = await startTestHouse({ limits: { callsPerMinutePerAddress: 1e6, callsPerMinutePerSession: 1e6 } });
  [customer, operator] = [await house.customer(), await house.operator()];
  const { instanceId, subscriptionId } = await orderFree(customer.api, "order-hostile");
  const [order] = (await customer.api.orders.list.query({})).items;
  const [invoice] = (await customer.api.invoices.list.query({})).items;
  const [operation] = (await customer.api.operations.list.query({})).items;
  const { organization, user } = await customer.api.auth.me.query();
  known = {
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

const runs = 200 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
/** Of the runs of a procedure, this share also goes over HTTP; beside it goes everything hostile that its schema lets pass. */
const sent = (6 * runs) / 200;
/** Brings the values of a run back. */
const seed = Number(process.env["HOSTILE_SEED"] ?? randomInt(2 ** 31));

interface Definition {
  readonly type: "query" | "mutation" | "subscription";
  readonly inputs: readonly z.ZodType[];
}

const procedures = Object.entries(appRouter._def.procedures).map(([path, procedure]) => {
  const { type, inputs } = (procedure as unknown as { _def: Definition })._def;
  const [schema] = inputs;
  if (schema === undefined) throw new Error(`${path} takes anything.`);
  return { path, type, schema };
});

test(`F18 what is made from a procedure's schema is accepted, and refused with one rule of it broken (HOSTILE_SEED=${seed}, ${runs} runs)`, () => {
  for (const { path, schema } of procedures) {
    const values = fc.record({ right: valuesOf(schema), broken: brokenOf(schema) });
    fc.assert(
      fc.property(values, ({ right, broken }) => {
        expect({ path, issues: schema.safeParse(right).error?.issues }).toEqual({ path, issues: undefined });
        expect({ path, ...broken, isAccepted: accepts(schema, broken.value) }).toMatchObject({ isAccepted: false });
      }),
      { numRuns: runs, seed },
    );
  }
}, 600_000);

interface Answer {
  readonly httpStatus: number;
  readonly appCode: string;
  readonly message: string;
}

const batchCalls = 10;
const queryCharacters = 8_000;

/** Sends them in as few requests as the limits of a batch and of an address allow; what came for each, in their order. */
async function callAll(
  { path, type }: (typeof procedures)[number],
  inputs: readonly unknown[],
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const texts = inputs.map((input) => JSON.stringify(transformer.serialize(input)));
  while (answers.length < texts.length) {
    let count = 0;
    for (let characters = 0; count < batchCalls && answers.length + count < texts.length; count += 1) {
      characters += encodeURIComponent(texts[answers.length + count] ?? "").length;
      if (type === "query" && count > 0 && characters > queryCharacters) break;
    }
    const batch = texts.slice(answers.length, answers.length + count);
    answers.push(...(await callBatch(path, type, batch)));
  }
  return answers;
}

async function callBatch(path: string, type: Definition["type"], texts: readonly string[]): Promise<readonly Answer[]> {
  const { token } = path.startsWith("admin.") ? operator : customer;
  const body = `{${texts.map((text, index) => `"${index}":${text}`).join()}}`;
  const url = `${house.url}/trpc/${texts.map(() => path).join()}?batch=1`;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const signal = AbortSignal.timeout(30_000);
  const response =
    type === "query"
      ? await fetch(`${url}&input=${encodeURIComponent(body)}`, { headers, signal })
      : await fetch(url, { method: "POST", body, headers, signal });
  const text = await response.text();
  // What is too long for an address is refused before anybody reads it.
  if (type === "query" && texts.length === 1 && response.status === 431)
    return [{ httpStatus: 431, appCode: "HEADERS_TOO_LARGE", message: text }];
  const answers = JSON.parse(text) as { error?: { json: { message: string; data: Omit<Answer, "message"> } } }[];
  expect({ path, count: answers.length, text }).toMatchObject({ count: texts.length });
  return answers.map(({ error }, index) => {
    const { httpStatus, appCode } = error?.json.data ?? { httpStatus: 200, appCode: "OK" };
    const said = JSON.stringify(error ?? null);
    const isDefect = httpStatus >= 500 || /select |insert into|node_modules|\bat .+:\d+:\d+/i.test(said);
    expect(isDefect ? { path, input: texts[index], said } : null).toBeNull();
    return { httpStatus, appCode, message: error?.json.message ?? "" };
  });
}

/** One field hostile and the others right, where the schema lets it pass; and the same for the input as a whole. */
function hostileOf(schema: z.ZodType): readonly unknown[] {
  const { shape = {} } = schema.def as { shape?: Readonly<Record<string, z.core.$ZodType>> };
  const fields = Object.entries(shape).flatMap(([name, field]) =>
    hostileValues.filter((value) => accepts(field, value)).map((value) => ({ name, value })),
  );
  const others = fc.sample(valuesOf(schema, known), { numRuns: Math.max(1, fields.length), seed }) as object[];
  const inputs = [...fields.map(({ name, value }, index) => ({ ...others[index], [name]: value })), ...hostileValues];
  return inputs.filter((value) => accepts(schema, arrived(value)));
}

/** As the server sees it: an error, for one, travels with its name and words. */
function arrived(value: unknown): unknown {
  return transformer.deserialize(JSON.parse(JSON.stringify(transformer.serialize(value))));
}

/** Streams would stay open; what they ask of their caller and input is the access matrix's and the first test's to show. */
const answering = procedures.filter(({ type }) => type !== "subscription");

test.each(answering)(
  `$path answers the right, the hostile and the broken over HTTP: none is a defect, none shows the machine room (HOSTILE_SEED=${seed})`,
  async (procedure) => {
    const { path, schema } = procedure;
    const broken = fc.sample(brokenOf(schema, known), { numRuns: sent, seed });
    const refused = await callAll(
      procedure,
      broken.map(({ value }) => value),
    );
    for (const [index, answer] of refused.entries()) {
      if (answer.httpStatus === 431) continue;
      // What the wire does not carry is no JSON of ours.
      expect({ path, ...broken[index], ...answer }).toMatchObject({
        httpStatus: 400,
        appCode: expect.stringMatching(/^(INVALID_INPUT|BAD_JSON)$/) as string,
      });
    }
    // The session of this test has to survive.
    if (path === "auth.logOut") return;
    const right = fc.sample(valuesOf(schema, known), { numRuns: sent, seed });
    const inputs = [...right, ...hostileOf(schema)];
    for (const [index, { message }] of (await callAll(procedure, inputs)).entries())
      expect({ path, input: inputs[index], message }).not.toMatchObject({ message: "Invalid input." });
  },
  60_000,
);
