import { createHmac } from "node:crypto";
import { transformer } from "@sewa/api";
import { createSandboxProvider, fromPublicId, toPublicId } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

const secrets = ["new-webhook-secret-1", "old-webhook-secret-1"];
const provider = createSandboxProvider({ url: "http://127.0.0.1:9", apiKey: "key", webhookSecrets: secrets });

let house: TestHouse;
let customer: Customer;
let operator: Customer;
beforeAll(async () => {
  house = await startTestHouse({ providers: [provider] });
  customer = await house.customer();
  operator = await house.operator();
});
afterAll(() => house[Symbol.asyncDispose]());

async function orderPaidPlan(
  { api }: Customer,
  key: string,
): Promise<{ readonly invoiceId: string; readonly organizationId: string }> {
  const { items } = await api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "small");
  const { priceKey } = await api.orders.quote.query({ planId: plan!.id, parameters: {} });
  const order = { planId: plan!.id, parameters: {}, name: "Status page", priceKey, idempotencyKey: key };
  const { subscription } = await api.orders.place.mutate(order);
  const [row] = await house.sql("select organization_id as id from subscriptions order by id desc limit 1");
  return {
    invoiceId: subscription.nextInvoice!.id,
    organizationId: toPublicId("organization", String(row?.["id"])),
  };
}

interface Delivery {
  readonly secret?: string;
  readonly ageSeconds?: number;
  readonly body?: string;
  readonly signed?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A webhook as the gateway sends it. */
async function deliver(delivery: Delivery): Promise<{ readonly status: number; readonly text: string }> {
  const { secret = secrets[0]!, ageSeconds = 0, body = noticeOf("evt_1"), path = "sandbox" } = delivery;
  const at = Math.floor(house.core.clock.now().getTime() / 1_000) - ageSeconds;
  const signature = createHmac("sha256", secret)
    .update(`${at}.${delivery.signed ?? body}`)
    .digest("hex");
  const response = await fetch(`${house.url}/webhooks/payments/${path}`, {
    method: "POST",
    body,
    headers: delivery.headers ?? { "sandbox-signature": `t=${at},v1=${signature}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(5_000),
  });
  return { status: response.status, text: await response.text() };
}

function noticeOf(id: string, reference = "0195b3c0-0000-7000-8000-000000000001", type = "payment.succeeded"): string {
  return JSON.stringify({ id, type, data: { object: "payment", reference } });
}

const notices = (): Promise<readonly Record<string, unknown>[]> => house.sql("select event_id from payment_notices");

test("a payment is begun by its customer, shown to nobody else, and cancelled", async () => {
  const { invoiceId } = await orderPaidPlan(customer, "order-0001");
  const start = { invoiceId, method: "checkout", idempotencyKey: "start-0001" } as const;
  const payment = await customer.api.payments.start.mutate(start);
  expect(payment).toMatchObject({
    status: "created",
    purpose: "invoice",
    invoiceId,
    provider: "sandbox",
    origin: "customer",
    amount: { amountMinor: 50_000n, currency: "IDR" },
    received: null,
    checkoutUrl: null,
  });
  expect(await customer.api.payments.start.mutate(start)).toEqual(payment);
  expect((await customer.api.payments.list.query({ invoiceId })).items).toEqual([payment]);
  const other = await house.customer();
  await expect(other.api.payments.get.query({ paymentId: payment.id })).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
  const foreign = other.api.payments.start.mutate({ ...start, idempotencyKey: "start-0002" });
  await expect(foreign).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
  const cancel = { paymentId: payment.id, idempotencyKey: "cancel-0001" };
  expect(await customer.api.payments.cancel.mutate(cancel)).toMatchObject({ id: payment.id });
});

test("B44 nobody pays their own invoice with another one's card, which is as unknown as one that nobody has", async () => {
  const [buyer, other] = [await house.customer(), await house.customer()];
  const { organizationId } = await orderPaidPlan(other, "order-0044");
  const { invoiceId } = await orderPaidPlan(buyer, "order-0045");
  const card = house.core.ids.next();
  await house.sql(
    `insert into payment_methods (id, organization_id, provider, label, fingerprint, key_id, sealed, saved_at)
      values ('${card}', '${fromPublicId("organization", organizationId)}', 'sandbox', 'Visa', '${card}', 'test', 'sealed', now())`,
  );
  for (const id of [card, house.core.ids.next()]) {
    const methodId = toPublicId("method", id);
    const pay = buyer.api.payments.start.mutate({ invoiceId, method: "saved", methodId, idempotencyKey: "pay-0045" });
    await expect(pay).rejects.toMatchObject({
      message: "No such payment method.",
      data: { appCode: "NOT_FOUND", httpStatus: 404 },
    });
  }
});

test("B92 B95 an operator fills a wallet with a reason, the customer spends it, and a part is given back", async () => {
  const buyer = await house.customer("Budi");
  const { invoiceId, organizationId } = await orderPaidPlan(buyer, "order-0002");
  const pay = { invoiceId, method: "wallet", idempotencyKey: "wallet-0001" } as const;
  await expect(buyer.api.payments.start.mutate(pay)).rejects.toMatchObject({
    message: "Balance is too low.",
    data: { appCode: "INSUFFICIENT_FUNDS", httpStatus: 402 },
  });
  const gift = { organizationId, amount: { amountMinor: 60_000n, currency: "IDR" }, reason: "Sorry for the outage." };
  const adjusted = await operator.api.admin.transactions.adjust.mutate({ ...gift, idempotencyKey: "gift-0001" });
  expect(adjusted).toMatchObject({ kind: "wallet_adjusted", debit: "goodwill", credit: "wallet" });
  expect(await buyer.api.payments.start.mutate(pay)).toMatchObject({ status: "succeeded", provider: "wallet" });
  expect(await buyer.api.wallet.get.query()).toEqual({
    balances: [{ amountMinor: 10_000n, currency: "IDR" }],
    autoTopUp: null,
  });
  const { payments } = await buyer.api.invoices.get.query({ invoiceId });
  const refund = {
    organizationId,
    paymentId: payments[0]!.id,
    amount: { amountMinor: 20_000n, currency: "IDR" },
    target: "origin",
    reason: "It was down for ten days.",
  } as const;
  const first = await operator.api.admin.transactions.refund.mutate({ ...refund, idempotencyKey: "refund-0001" });
  expect(first).toMatchObject({ kind: "wallet_refunded", amount: refund.amount });
  const more = { ...refund, amount: { ...refund.amount, amountMinor: 30_001n }, idempotencyKey: "refund-0002" };
  await expect(operator.api.admin.transactions.refund.mutate(more)).rejects.toMatchObject({
    data: { appCode: "REFUND", httpStatus: 409 },
  });
  const abroad = { ...refund, amount: { amountMinor: 1n, currency: "USD" }, idempotencyKey: "refund-0003" };
  await expect(operator.api.admin.transactions.refund.mutate(abroad)).rejects.toMatchObject({
    data: { appCode: "CURRENCY", httpStatus: 409 },
  });
  const invoice = await buyer.api.invoices.get.query({ invoiceId });
  expect(invoice).toMatchObject({ status: "paid", creditNotes: [{ amount: refund.amount, reason: refund.reason }] });
  const listed = await buyer.api.transactions.list.query({ limit: 2 });
  expect(listed.items.map(({ kind }) => kind)).toEqual(["wallet_refunded", "wallet_spent"]);
  const next = await buyer.api.transactions.list.query({ limit: 2, cursor: listed.nextCursor! });
  expect(next.items.map(({ kind }) => kind)).toEqual(["wallet_adjusted", "invoice_opened"]);
  const [newest] = listed.items;
  expect(await buyer.api.transactions.get.query({ transactionId: newest!.id })).toEqual(newest);
  expect((await operator.api.admin.transactions.list.query({ organizationId, limit: 2 })).items).toEqual(listed.items);
  const found = await operator.api.admin.transactions.get.query({ organizationId, transactionId: newest!.id });
  expect(found).toEqual(newest);
  await expect(customer.api.transactions.get.query({ transactionId: newest!.id })).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
  await expect(buyer.api.admin.transactions.list.query({ organizationId })).rejects.toMatchObject({
    data: { appCode: "FORBIDDEN" },
  });
});

const money = (amountMinor: unknown, currency: unknown = "IDR"): unknown => ({ amountMinor, currency });
const topUp = (amount: unknown): unknown => ({ amount, method: "checkout", idempotencyKey: "top-up-001" });

test.each([
  ["a half", topUp(money(1.5))],
  ["less than nothing", topUp(money(-1n))],
  ["nothing", topUp(money(0n))],
  ["1e21 as a number", topUp(money(1e21))],
  ["10^21", topUp(money(10n ** 21n))],
  ["2^53 + 1 as a number", topUp(money(2 ** 53))],
  ["a text", topUp(money("5"))],
  ["no number", topUp(money(Number.NaN))],
  ["true", topUp(money(true))],
  ["a list", topUp(money([1]))],
  ["a currency in small letters", topUp(money(1_000n, "idr"))],
  ["a currency of nobody", topUp(money(1_000n, "XXX"))],
  ["a NUL for a currency", topUp(money(1_000n, "ID\0"))],
  ["its own wallet", { ...(topUp(money(1_000n)) as object), method: "wallet" }],
  ["a card that is not named", { ...(topUp(money(1_000n)) as object), method: "saved" }],
  ["another way to pay", { ...(topUp(money(1_000n)) as object), method: "cash" }],
  ["an organization of others", { ...(topUp(money(1_000n)) as object), organizationId: "org_x" }],
])("B90 B91 a top-up of or with %s is refused with 400, and nothing is begun", async (_, input) => {
  const response = await fetch(`${house.url}/trpc/wallet.topUp`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${customer.token}` },
    body: JSON.stringify(transformer.serialize(input)),
  });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 400 });
  expect(text).not.toMatch(/select |insert into|params:|drizzle|node_modules/i);
  expect(await house.sql("select 1 from payment_intents where purpose = 'top_up'")).toEqual([]);
});

test("B91 a wallet is filled in its currency", async () => {
  const amount = { amountMinor: 1_000n, currency: "USD" };
  const begun = customer.api.wallet.topUp.mutate({ amount, method: "checkout", idempotencyKey: "top-up-002" });
  await expect(begun).rejects.toMatchObject({ data: { appCode: "CURRENCY", httpStatus: 409 } });
  expect(await house.sql("select 1 from payment_intents where purpose = 'top_up'")).toEqual([]);
});

test.each([
  ["an organization that nobody has", { organizationId: `org_${"0".repeat(26)}` }, 404],
  ["an amount that no database holds", { amount: money(2n ** 63n) }, 400],
  ["nothing", { amount: money(0n) }, 400],
  ["another currency", { amount: money(1n, "JPY") }, 409],
  ["a currency of nobody", { amount: money(1n, "XXX") }, 400],
  ["no reason", { reason: "  " }, 400],
])("an adjustment with %s is refused", async (_, change, status) => {
  const { organizationId } = await organizationOfOperator();
  const input = { organizationId, amount: money(1n), reason: "For a test.", idempotencyKey: "adjust-01", ...change };
  const response = await fetch(`${house.url}/trpc/admin.transactions.adjust`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${operator.token}` },
    body: JSON.stringify(transformer.serialize(input)),
  });
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status });
});

async function organizationOfOperator(): Promise<{ readonly organizationId: string }> {
  const [row] = await house.sql("select id from organizations order by id limit 1");
  return { organizationId: toPublicId("organization", String(row?.["id"])) };
}

test("M6 a webhook signed by the new or the old secret is stored, and prompts a look at the payment", async () => {
  expect(await deliver({ body: noticeOf("evt_new") })).toMatchObject({ status: 200 });
  expect(await deliver({ body: noticeOf("evt_old"), secret: secrets[1]! })).toMatchObject({ status: 200 });
  expect(await deliver({ body: noticeOf("evt_old"), secret: secrets[1]! })).toMatchObject({ status: 200 });
  expect((await notices()).map((row) => row["event_id"])).toEqual(["evt_new", "evt_old"]);
  const jobs = await house.sql("select key from graphile_worker.jobs where key like 'payment:reconcile:0195b3c0-%'");
  expect(jobs).toHaveLength(1);
});

test("B99 a webhook of a type that nobody knows is stored and left alone", async () => {
  const body = JSON.stringify({ id: "evt_type", type: "weather.changed", data: { rain: true } });
  expect(await deliver({ body })).toMatchObject({ status: 200 });
  const [row] = await house.sql("select applied_at from payment_notices where event_id = 'evt_type'");
  expect(row?.["applied_at"]).not.toBeNull();
});

const invalid = "Invalid signature.";

test.each<[string, Delivery, number, string]>([
  ["signed by nobody", { headers: {} }, 400, invalid],
  ["signed by a stranger", { secret: "somebody-elses-secret" }, 400, invalid],
  ["six minutes old", { ageSeconds: 360 }, 400, invalid],
  ["changed on its way", { signed: noticeOf("evt_other") }, 400, invalid],
  ["written anew", { body: ` ${noticeOf("evt_1")}`, signed: noticeOf("evt_1") }, 400, invalid],
  ["no JSON", { body: "{" }, 400, invalid],
  ["of 2 MB", { body: " ".repeat(2_000_000) }, 413, ""],
  ["of another provider", { path: "paypal" }, 404, "Nothing is here."],
  ["to a path with more behind it", { path: "sandbox/x" }, 404, "Nothing is here."],
])("M6 B98 a webhook that is %s leaves nothing behind", async (_, delivery, status, words) => {
  const before = await notices();
  const answer = await deliver(delivery).catch((error: unknown) => {
    // Cut off while it was still being sent.
    if (status === 413) return { status: 413, text: "" };
    throw error;
  });
  expect(answer).toMatchObject({ status });
  expect(answer.text).toContain(words);
  expect(await notices()).toEqual(before);
});

test("webhooks over the limit of an address are told to come back", async () => {
  const limited = await house.another({ limits: { callsPerMinutePerAddress: 2 } });
  const statuses: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    const response = await fetch(`${limited.url}/webhooks/payments/sandbox`, { method: "POST", body: "{}" });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  expect(statuses).toEqual([400, 400, 429, 429]);
});

test("without a gateway there is no card to pay with, and no webhook", async () => {
  const without = await house.another({ providers: [] });
  const webhook = await fetch(`${without.url}/webhooks/payments/sandbox`, { method: "POST", body: "{}" });
  expect(webhook.status).toBe(404);
  const answer = await fetch(`${without.url}/trpc/wallet.topUp`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${customer.token}` },
    body: JSON.stringify(transformer.serialize(topUp(money(1_000n)))),
  });
  expect(await answer.text()).toContain("PAYMENT_UNAVAILABLE");
});
