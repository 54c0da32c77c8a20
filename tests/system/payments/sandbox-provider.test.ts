import {
  createSandboxProvider,
  NoticeRefused,
  type ProviderNotice,
  ProviderRefused,
  ProviderUnavailable,
} from "@sewa/core";
import { type FaultyAnswer, testCards } from "@sewa/devgateway";
import { expect, test } from "vitest";
import { never, type Received, start, startGateway, startReceiver } from "./gateway.ts";

const cardOf = (number: string) => ({ type: "card", number }) as const;
const succeeds = cardOf(testCards.succeeds.number);

test("a checkout leads to a page, and once the customer has paid there the money is ours, with its card", async () => {
  await using test = await startGateway();
  const { provider, gateway } = test;
  const begun = await provider.begin(test.request({ savesMethod: true }), never);
  expect(begun).toMatchObject({
    reference: "p1",
    state: "pending",
    amountMinor: 50_000n,
    currency: "IDR",
    failure: null,
    method: null,
    succeededAt: null,
  });
  expect(await (await fetch(begun.checkoutUrl ?? "")).text()).toContain("IDR 50000.00");
  test.pass(60_000);
  gateway.pay("p1", succeeds);
  expect(await provider.lookUp("p1", never)).toEqual({
    ...begun,
    state: "succeeded",
    checkoutUrl: null,
    method: { methodReference: expect.stringMatching(/./) as unknown, label: "Visa 4242" },
    succeededAt: new Date(start.getTime() + 60_000),
  });
});

test.each(["virtual_account", "qris"] as const)("a customer can pay by %s when it suits", async (type) => {
  await using test = await startGateway();
  await test.provider.begin(test.request(), never);
  test.pass(1_800_000);
  expect((await test.provider.lookUp("p1", never))?.state).toBe("pending");
  test.gateway.pay("p1", { type });
  expect(await test.provider.lookUp("p1", never)).toMatchObject({ state: "succeeded", method: null });
});

test.each([
  ["succeeds", "succeeded", null],
  ["declinedOnFile", "failed", "card_declined"],
  ["insufficientOnFile", "failed", "insufficient_funds"],
  ["delayedOnFile", "pending", null],
] as const)("a kept card %s: a charge without the customer is %s", async (card, state, failure) => {
  await using test = await startGateway();
  const methodReference = await test.keepCard(testCards[card].number);
  const request = test.request({ method: { type: "on_file", methodReference } });
  expect(await test.provider.begin(request, never)).toMatchObject({ state, failure, checkoutUrl: null });
  test.pass(5_000);
  expect((await test.provider.lookUp("p1", never))?.state).toBe(state === "pending" ? "succeeded" : state);
});

test("a decline at the checkout leaves it open and says why; time and we ourselves close it", async () => {
  await using test = await startGateway();
  const { provider, gateway } = test;
  for (const reference of ["p1", "p2", "p3"]) await provider.begin(test.request({ reference }), never);
  gateway.pay("p1", cardOf(testCards.insufficientFunds.number));
  expect(await provider.lookUp("p1", never)).toMatchObject({ state: "pending", failure: "insufficient_funds" });
  expect(await provider.cancel("p2", never)).toMatchObject({ state: "cancelled", checkoutUrl: null });
  gateway.pay("p3", succeeds);
  expect(await provider.cancel("p3", never)).toMatchObject({ state: "succeeded", amountMinor: 50_000n });
  test.pass(3_600_000);
  expect((await provider.lookUp("p1", never))?.state).toBe("expired");
  expect(await provider.cancel("p1", never)).toMatchObject({ state: "expired" });
});

test("what the gateway never heard of is null", async () => {
  await using test = await startGateway();
  const { provider } = test;
  const asked = [provider.lookUp("none", never), provider.cancel("none", never), provider.lookUpRefund("none", never)];
  expect(await Promise.all(asked)).toEqual([null, null, null]);
});

test("asked again it is the same payment and the same refund, and the money moves once", async () => {
  await using test = await startGateway();
  const { provider } = test;
  const methodReference = await test.keepCard(testCards.succeeds.number);
  const request = test.request({ method: { type: "on_file", methodReference } });
  const payments = await Promise.all(Array.from({ length: 8 }, () => provider.begin(request, never)));
  expect(new Set(payments.map((payment) => payment.providerReference)).size).toBe(1);
  const refund = { reference: "r1", paymentReference: "p1", amountMinor: 20_000n, currency: "IDR" };
  const refunds = await Promise.all(Array.from({ length: 8 }, () => provider.refund(refund, never)));
  expect(new Set(refunds.map((each) => each.providerReference)).size).toBe(1);
  expect(await provider.lookUpRefund("r1", never)).toMatchObject({ state: "succeeded", amountMinor: 20_000n });
  expect(test.merchant("IDR")).toBe(8_000_000n);
});

test("a reference that stands for something else is looked up, and not taken for a refusal", async () => {
  await using test = await startGateway();
  await test.provider.begin(test.request(), never);
  test.gateway.pay("p1", succeeds);
  const other = test.request({ amountMinor: 60_000n });
  await expect(test.provider.begin(other, never)).rejects.toThrow(ProviderUnavailable);
  expect(await test.provider.lookUp("p1", never)).toMatchObject({ state: "succeeded", amountMinor: 50_000n });
});

test("what the gateway refuses has a reason, and nothing was done", async () => {
  await using test = await startGateway();
  const { provider } = test;
  const reasonOf = (call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => (error instanceof ProviderRefused ? error.reason : error));
  const refund = { reference: "r1", paymentReference: "p1", amountMinor: 1n, currency: "IDR" };
  const onFile = { method: { type: "on_file", methodReference: "card_none" } } as const;
  expect(await reasonOf(provider.begin(test.request(onFile), never))).toBe("method_unknown");
  expect(await reasonOf(provider.begin(test.request({ expiresAt: start }), never))).toBe("expiry_in_the_past");
  expect(await reasonOf(provider.begin(test.request({ amountMinor: 0n }), never))).toBe("invalid_request");
  expect(await reasonOf(provider.begin(test.request({ currency: "KWD" }), never))).toBe("currency_unsupported");
  expect(await reasonOf(provider.refund(refund, never))).toBe("payment_unknown");
  expect([await provider.lookUp("p1", never), await provider.lookUpRefund("r1", never)]).toEqual([null, null]);
  await provider.begin(test.request(), never);
  expect(await reasonOf(provider.refund(refund, never))).toBe("payment_not_paid");
  test.gateway.pay("p1", succeeds);
  expect(await reasonOf(provider.refund({ ...refund, amountMinor: 50_001n }, never))).toBe("refund_exceeds_payment");
  expect(await provider.lookUpRefund("r1", never)).toBeNull();
  expect(test.merchant("IDR")).toBe(5_000_000n);
});

test("with a key that is not one nothing is decided", async () => {
  await using test = await startGateway();
  const { url, webhookSecrets } = test.gateway;
  const stranger = createSandboxProvider({ url, apiKey: "sk_wrong", webhookSecrets });
  await expect(stranger.begin(test.request(), never)).rejects.toThrow(ProviderUnavailable);
  await expect(stranger.lookUp("p1", never)).rejects.toThrow(ProviderUnavailable);
});

const faults: readonly (readonly [FaultyAnswer, boolean])[] = [
  ["cut", false],
  ["lost", true],
  ["silent", false],
  ["hung", true],
  ["garbled", true],
  [{ status: 500 }, false],
  [{ status: 500, isDone: true }, true],
  [{ status: 502, isDone: true }, true],
  [{ status: 503, retryAfterSeconds: 3 }, false],
  [{ status: 504, isDone: true }, true],
  [{ status: 429, retryAfterSeconds: 3 }, false],
  [{ status: 401 }, false],
];

test.each(faults)("after %j a charge is looked up and found once (done: %j)", async (how, isDone) => {
  await using test = await startGateway();
  const { provider, impatient, gateway } = test;
  const methodReference = await test.keepCard(testCards.succeeds.number);
  const request = test.request({ method: { type: "on_file", methodReference } });
  const fault = gateway.faults.answer({ operation: "createPayment", times: 1 }, how);
  await expect(impatient.begin(request, never)).rejects.toThrow(ProviderUnavailable);
  await expect.poll(() => fault.met).toBe(1);
  await expect.poll(async () => (await provider.lookUp("p1", never))?.state ?? null).toBe(isDone ? "succeeded" : null);
  // Never anew: the same reference again finds what there is.
  expect((await provider.begin(request, never)).state).toBe("succeeded");
  expect(test.merchant("IDR")).toBe(10_000_000n);
});

test.each(faults)("after %j a refund is looked up and found once (done: %j)", async (how, isDone) => {
  await using test = await startGateway();
  const { provider, impatient, gateway } = test;
  await test.keepCard(testCards.succeeds.number);
  const refund = { reference: "r1", paymentReference: "keep", amountMinor: 30_000n, currency: "IDR" };
  const fault = gateway.faults.answer({ operation: "createRefund", times: 1 }, how);
  await expect(impatient.refund(refund, never)).rejects.toThrow(ProviderUnavailable);
  await expect.poll(() => fault.met).toBe(1);
  await expect
    .poll(async () => (await provider.lookUpRefund("r1", never))?.state ?? null)
    .toBe(isDone ? "succeeded" : null);
  expect((await provider.refund(refund, never)).state).toBe("succeeded");
  expect(test.merchant("IDR")).toBe(2_000_000n);
});

test.each(faults)("after %j a cancellation or a question is asked again", async (how) => {
  await using test = await startGateway();
  const { provider, impatient, gateway } = test;
  await provider.begin(test.request(), never);
  const thrown = (["getPayment", "cancelPayment", "getRefund"] as const).map((operation) =>
    gateway.faults.answer({ operation, times: 1 }, how),
  );
  await expect(impatient.lookUp("p1", never)).rejects.toThrow(ProviderUnavailable);
  await expect(impatient.cancel("p1", never)).rejects.toThrow(ProviderUnavailable);
  await expect(impatient.lookUpRefund("r1", never)).rejects.toThrow(ProviderUnavailable);
  await expect.poll(() => thrown.map(({ met }) => met)).toEqual([1, 1, 1]);
  expect((await provider.cancel("p1", never))?.state).toBe("cancelled");
});

test("a charge that is carried out after we have given up is found as soon as it was", async () => {
  await using test = await startGateway();
  const methodReference = await test.keepCard(testCards.succeeds.number);
  test.gateway.faults.answer({ operation: "createPayment" }, { delayMs: 300 });
  const request = test.request({ method: { type: "on_file", methodReference } });
  await expect(test.impatient.begin(request, never)).rejects.toThrow(ProviderUnavailable);
  await expect.poll(async () => (await test.provider.lookUp("p1", never))?.state).toBe("succeeded");
});

test.each([
  ["IDR", 50_000n, 5_000_000n],
  ["USD", 1_999n, 1_999n],
  ["JPY", 500n, 500n],
  ["EUR", 1n, 1n],
])("in %s the gateway takes what was asked for, in its own units", async (currency, amountMinor, taken) => {
  await using test = await startGateway();
  await test.provider.begin(test.request({ currency, amountMinor }), never);
  test.gateway.pay("p1", { type: "qris" });
  expect(test.merchant(currency)).toBe(taken);
  expect(await test.provider.lookUp("p1", never)).toMatchObject({ state: "succeeded", currency, amountMinor });
  const all = { reference: "r1", paymentReference: "p1", amountMinor, currency };
  expect(await test.provider.refund(all, never)).toMatchObject({ state: "pending", amountMinor, currency });
  test.pass(5_000);
  expect((await test.provider.lookUpRefund("r1", never))?.state).toBe("succeeded");
  expect(test.merchant(currency)).toBe(0n);
});

test("what came is told as it came, in another amount and another currency; sen are not rounded away", async () => {
  await using test = await startGateway();
  const { provider, gateway } = test;
  for (const reference of ["short", "dollars", "dinars", "sen"]) {
    await provider.begin(test.request({ reference }), never);
  }
  gateway.pay("short", { type: "qris", received: { amount: 4_999_900n, currency: "IDR" } });
  gateway.pay("dollars", { type: "qris", received: { amount: 300n, currency: "USD" } });
  gateway.pay("dinars", { type: "qris", received: { amount: 1_234n, currency: "KWD" } });
  gateway.pay("sen", { type: "qris", received: { amount: 4_999_950n, currency: "IDR" } });
  expect(await provider.lookUp("short", never)).toMatchObject({ amountMinor: 49_999n, currency: "IDR" });
  expect(await provider.lookUp("dollars", never)).toMatchObject({ amountMinor: 300n, currency: "USD" });
  expect(await provider.lookUp("dinars", never)).toMatchObject({ amountMinor: 1_234n, currency: "KWD" });
  await expect(provider.lookUp("sen", never)).rejects.toThrow(ProviderUnavailable);
});

test("money that comes after the end is told", async () => {
  await using test = await startGateway();
  await test.provider.begin(test.request(), never);
  test.pass(3_600_000);
  expect((await test.provider.lookUp("p1", never))?.state).toBe("expired");
  test.gateway.pay("p1", { type: "virtual_account", isLate: true });
  expect(await test.provider.lookUp("p1", never)).toMatchObject({ state: "succeeded", amountMinor: 50_000n });
});

test("webhooks are read on the bytes that came: what they are about, one id for all copies, and nothing that was forged", async () => {
  await using receiver = await startReceiver();
  await using test = await startGateway({ webhookUrl: receiver.url });
  const { provider, gateway, clock } = test;
  const read = ({ headers, body }: Received["webhooks"][number]): ProviderNotice =>
    provider.readNotice(body, headers as Record<string, string | undefined>, clock.now);
  gateway.webhooks.duplicate(3);
  await provider.begin(test.request(), never);
  gateway.pay("p1", succeeds);
  await provider.refund({ reference: "r1", paymentReference: "p1", amountMinor: 1n, currency: "IDR" }, never);
  gateway.webhooks.announce("settlement.created");
  await gateway.webhooks.idle();
  const notices = receiver.webhooks.map(read);
  expect(new Set(notices.map(({ eventId }) => eventId)).size).toBe(5);
  expect(notices).toHaveLength(15);
  const subjects = new Map(notices.map(({ type, subject }) => [type, subject]));
  expect(Object.fromEntries(subjects)).toEqual({
    "payment.pending": { type: "payment", reference: "p1" },
    "payment.succeeded": { type: "payment", reference: "p1" },
    "refund.pending": { type: "refund", reference: "r1" },
    "refund.succeeded": { type: "refund", reference: "r1" },
    "settlement.created": null,
  });
  for (const how of ["unsigned", "malformed", "wrongSecret", "changedBody", "stale", "future"] as const) {
    await gateway.webhooks.forge("p1", how);
    expect(() => read(receiver.webhooks.at(-1)!)).toThrow(NoticeRefused);
  }
});

test("secrets are changed without a webhook that is refused", async () => {
  await using receiver = await startReceiver();
  await using test = await startGateway({ webhookUrl: receiver.url, webhookSecrets: ["old"] });
  const { url, secretKey: apiKey, webhooks } = test.gateway;
  const reads = async (webhookSecrets: readonly string[]): Promise<boolean> => {
    webhooks.announce("settlement.created");
    await webhooks.idle();
    const { headers, body } = receiver.webhooks.at(-1)!;
    const provider = createSandboxProvider({ url, apiKey, webhookSecrets });
    try {
      return provider.readNotice(body, headers as Record<string, string | undefined>, start).subject === null;
    } catch {
      return false;
    }
  };
  expect(await reads(["old"])).toBe(true);
  webhooks.setSecrets(["new", "old"]);
  expect([await reads(["old"]), await reads(["new", "old"]), await reads(["new"])]).toEqual([true, true, true]);
  webhooks.setSecrets(["new"]);
  expect([await reads(["new", "old"]), await reads(["old"])]).toEqual([true, false]);
});
