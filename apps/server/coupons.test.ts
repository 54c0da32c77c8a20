import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
let operator: Customer;
beforeAll(async () => {
  house = await startTestHouse();
  operator = await house.operator();
});
afterAll(() => house[Symbol.asyncDispose]());

const half = { kind: "percent", basisPoints: 5_000 } as const;
const refused = (appCode: string, httpStatus: number, message?: string) => ({
  ...(message === undefined ? {} : { message }),
  data: { appCode, httpStatus },
});
const notValid = refused("NOT_FOUND", 404, "Coupon not valid.");

async function smallPlan({ api }: Customer): Promise<string> {
  const { plans } = await api.offerings.get.query({ slug: "uptime-kuma" });
  return plans.find(({ slug }) => slug === "small")!.id;
}

async function order(customer: Customer, couponCode?: string) {
  const wish = {
    planId: await smallPlan(customer),
    parameters: {},
    ...(couponCode === undefined ? {} : { couponCode }),
  };
  const { priceKey } = await customer.api.orders.quote.query(wish);
  return customer.api.orders.place.mutate({
    ...wish,
    name: "Shop",
    priceKey,
    idempotencyKey: `order-${couponCode ?? "whole"}`,
  });
}

/** Nobody has an instance here, so what has begun is written down. */
async function begin(customer: Customer) {
  const placed = await order(customer);
  const { organization } = await customer.api.auth.me.query();
  await operator.api.admin.payments.record.mutate({
    organizationId: organization.id,
    invoiceId: placed.subscription.nextInvoice!.id,
    amount: placed.total,
    reference: `BANK-${placed.id}`,
    idempotencyKey: `pay-${placed.id}`,
  });
  return placed.subscription.id;
}

test("a coupon from its making to the invoice that has it, and what its customer and its operator see of it", async () => {
  const made = await operator.api.admin.coupons.create.mutate({
    code: "welcome",
    discount: half,
    periods: 2,
    maxRedemptions: 5,
  });
  expect(made).toMatchObject({ code: "WELCOME", discount: half, periods: 2, redeemed: 0, planIds: [], endsAt: null });
  const customer = await house.customer();
  const wish = { planId: await smallPlan(customer), parameters: {}, couponCode: "WelCome" };
  const quote = await customer.api.orders.quote.query(wish);
  expect(quote).toMatchObject({
    total: { amountMinor: 25_000n },
    laterTotal: { amountMinor: 50_000n },
    couponPeriods: 2,
    lines: [
      { quantity: 1n, unitAmount: { amountMinor: 50_000n }, perQuantity: 1n, amount: { amountMinor: 50_000n } },
      {
        quantity: 50_000n,
        unitAmount: { amountMinor: 5_000n },
        perQuantity: 10_000n,
        amount: { amountMinor: -25_000n },
      },
    ],
  });
  const { priceKey } = await customer.api.orders.quote.query({ ...wish, couponCode: undefined });
  const place = { ...wish, name: "Shop", idempotencyKey: "order-0001" };
  await expect(customer.api.orders.place.mutate({ ...place, priceKey })).rejects.toMatchObject(
    refused("PRICE_CHANGED", 409),
  );
  const placed = await customer.api.orders.place.mutate({ ...place, priceKey: quote.priceKey });
  expect(placed.total.amountMinor).toBe(25_000n);
  const invoice = await customer.api.invoices.get.query({ invoiceId: placed.subscription.nextInvoice!.id });
  expect(invoice.lines[1]).toEqual({
    kind: "discount",
    description: "Coupon WELCOME, 50 %",
    quantity: 50_000n,
    includedQuantity: 0n,
    unitAmount: { amountMinor: 5_000n, currency: "IDR" },
    perQuantity: 10_000n,
    amount: { amountMinor: -25_000n, currency: "IDR" },
    usage: null,
  });
  expect((await customer.api.coupons.list.query({})).items).toMatchObject([
    { code: "WELCOME", subscriptionId: placed.subscription.id, periodsLeft: 1 },
  ]);
  expect((await (await house.customer()).api.coupons.list.query({})).items).toEqual([]);
  expect(await operator.api.admin.coupons.get.query({ couponId: made.id })).toEqual({ ...made, redeemed: 1 });
  expect((await operator.api.admin.coupons.list.query({})).items.map(({ code }) => code)).toContain("WELCOME");
  await expect(operator.api.admin.coupons.delete.mutate({ couponId: made.id })).rejects.toMatchObject(
    refused("CONFLICT", 409),
  );
  const ended = await operator.api.admin.coupons.deactivate.mutate({ couponId: made.id });
  expect(ended.deactivatedAt).not.toBeNull();
});

test("a running subscription gets a coupon once for its key, and only its own organization's", async () => {
  await operator.api.admin.coupons.create.mutate({ code: "LATER", discount: half });
  const [customer, stranger] = [await house.customer(), await house.customer()];
  const subscriptionId = await begin(customer);
  const input = { subscriptionId, code: "later", idempotencyKey: "apply-0001" };
  await expect(stranger.api.coupons.apply.mutate(input)).rejects.toMatchObject(
    refused("NOT_FOUND", 404, "No such subscription."),
  );
  const applied = await customer.api.coupons.apply.mutate(input);
  expect(applied).toMatchObject({ code: "LATER", subscriptionId, periodsLeft: null });
  expect(await customer.api.coupons.apply.mutate(input)).toEqual(applied);
  await expect(customer.api.coupons.apply.mutate({ ...input, code: "LATER" })).rejects.toMatchObject(
    refused("IDEMPOTENCY_KEY_REUSED", 409),
  );
  await expect(customer.api.coupons.apply.mutate({ ...input, idempotencyKey: "apply-0002" })).rejects.toMatchObject(
    notValid,
  );
  await operator.api.admin.coupons.create.mutate({ code: "SECOND", discount: half });
  await expect(
    customer.api.coupons.apply.mutate({ ...input, code: "SECOND", idempotencyKey: "apply-0003" }),
  ).rejects.toMatchObject(refused("CONFLICT", 409));
});

test("B93 another organization's coupon and an invented one are the same answer, and the eleventh guess is told to wait", async () => {
  const [owner, stranger] = [await house.customer(), await house.customer()];
  const { organization } = await owner.api.auth.me.query();
  await operator.api.admin.coupons.create.mutate({ code: "OWNERS", discount: half, organizationId: organization.id });
  const wish = { planId: await smallPlan(stranger), parameters: {} };
  const ask = (couponCode: string) => stranger.api.orders.quote.query({ ...wish, couponCode });
  for (const code of ["OWNERS", "INVENTED", "", "x", "no such code", "'; drop table coupons"])
    await expect(ask(code)).rejects.toMatchObject(notValid);
  const subscriptionId = await begin(stranger);
  for (let guess = 7; guess <= 10; guess += 1)
    await expect(
      stranger.api.coupons.apply.mutate({
        subscriptionId,
        code: `GUESS-${guess}`,
        idempotencyKey: `guess-${guess}-key`,
      }),
    ).rejects.toMatchObject(notValid);
  const waits = { data: { appCode: "RATE_LIMITED", httpStatus: 429, retryAfterSeconds: expect.any(Number) as number } };
  await expect(ask("INVENTED")).rejects.toMatchObject(waits);
  await expect(
    stranger.api.coupons.apply.mutate({ subscriptionId, code: "GUESS", idempotencyKey: "guess-11-key" }),
  ).rejects.toMatchObject(waits);
  // Who uses no code is not kept waiting.
  expect((await stranger.api.orders.quote.query(wish)).total.amountMinor).toBe(50_000n);
  expect((await owner.api.orders.quote.query({ ...wish, couponCode: "owners" })).total.amountMinor).toBe(25_000n);
});

test("customers make no coupons, and see none but their own", async () => {
  const { api } = await house.customer();
  const forbidden = refused("FORBIDDEN", 403);
  await expect(api.admin.coupons.create.mutate({ code: "FREE", discount: half })).rejects.toMatchObject(forbidden);
  await expect(api.admin.coupons.list.query({})).rejects.toMatchObject(forbidden);
  await expect(api.admin.coupons.get.query({ couponId: "cpn_1" })).rejects.toMatchObject(forbidden);
  await expect(api.admin.coupons.deactivate.mutate({ couponId: "cpn_1" })).rejects.toMatchObject(forbidden);
  await expect(api.admin.coupons.delete.mutate({ couponId: "cpn_1" })).rejects.toMatchObject(forbidden);
});

test.each([
  ["a code with a blank", { code: "NO GOOD", discount: half }, "INVALID_INPUT"],
  ["no code", { code: "", discount: half }, "INVALID_INPUT"],
  ["a code that is too long", { code: "A".repeat(41), discount: half }, "INVALID_INPUT"],
  ["nothing per cent", { code: "BAD", discount: { kind: "percent", basisPoints: 0 } }, "INVALID_INPUT"],
  ["more than all of it", { code: "BAD", discount: { kind: "percent", basisPoints: 10_001 } }, "INVALID_INPUT"],
  [
    "less than nothing",
    { code: "BAD", discount: { kind: "amount", amount: { amountMinor: -1n, currency: "IDR" } } },
    "INVALID_INPUT",
  ],
  [
    "more than a number of the database",
    { code: "BAD", discount: { kind: "amount", amount: { amountMinor: 2n ** 63n, currency: "IDR" } } },
    "INVALID_INPUT",
  ],
  [
    "money that nobody knows",
    { code: "BAD", discount: { kind: "amount", amount: { amountMinor: 1n, currency: "XXX" } } },
    "INVALID_INPUT",
  ],
  ["no periods", { code: "BAD", discount: half, periods: 0 }, "INVALID_INPUT"],
  ["half a redemption", { code: "BAD", discount: half, maxRedemptions: 0.5 }, "INVALID_INPUT"],
  [
    "an end before its beginning",
    { code: "BAD", discount: half, startsAt: new Date(1), endsAt: new Date(0) },
    "INVALID_INPUT",
  ],
  ["another kind of id as a plan", { code: "BAD", discount: half, planIds: ["org_1"] }, "NOT_FOUND"],
  ["an organization that nobody has", { code: "BAD", discount: half, organizationId: "org_1" }, "NOT_FOUND"],
  ["a field of its own", { code: "BAD", discount: half, redeemed: 5 }, "INVALID_INPUT"],
] as const)("an operator makes no coupon with %s", async (_, input, appCode) => {
  await expect(operator.api.admin.coupons.create.mutate(input as never)).rejects.toMatchObject({ data: { appCode } });
});

test("ids that nobody has are not found, and a code is there once", async () => {
  const { coupons } = operator.api.admin;
  const notFound = refused("NOT_FOUND", 404, "No such coupon.");
  for (const couponId of ["", "cpn_1", `cpn_${"0".repeat(26)}`, `pln_${"0".repeat(26)}`]) {
    await expect(coupons.get.query({ couponId })).rejects.toMatchObject(notFound);
    await expect(coupons.deactivate.mutate({ couponId })).rejects.toMatchObject(notFound);
    await expect(coupons.delete.mutate({ couponId })).rejects.toMatchObject(notFound);
  }
  const { id } = await coupons.create.mutate({ code: "ONCE", discount: half });
  await expect(coupons.create.mutate({ code: "once", discount: half })).rejects.toMatchObject(refused("CONFLICT", 409));
  expect((await coupons.delete.mutate({ couponId: id })).code).toBe("ONCE");
  await expect(coupons.list.query({ cursor: "nonsense" })).rejects.toMatchObject(refused("INVALID_INPUT", 400));
  const { api } = await house.customer();
  await expect(
    api.coupons.apply.mutate({ subscriptionId: "sub_1", code: "ONCE", idempotencyKey: "apply-0001" }),
  ).rejects.toMatchObject(refused("NOT_FOUND", 404, "No such subscription."));
  await expect(
    api.coupons.apply.mutate({ subscriptionId: "sub_1", code: "A".repeat(101), idempotencyKey: "apply-0001" }),
  ).rejects.toMatchObject(refused("INVALID_INPUT", 400));
  await expect(
    api.coupons.apply.mutate({ subscriptionId: "sub_1", code: "ONCE", idempotencyKey: "short" }),
  ).rejects.toMatchObject(refused("INVALID_INPUT", 400));
});
