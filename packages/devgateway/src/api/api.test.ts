import { expect, test } from "vitest";
import { cards } from "../payments/cards.ts";
import { testGateway } from "../testing/gateway.ts";

const cardOf = (number: string) => ({ type: "card", number }) as const;

test("without one of its keys the API tells nothing, not even what exists", async () => {
  await using test = await testGateway({ secretKeys: ["sk_one", "sk_two"] });
  await test.pay();
  for (const key of ["", "sk_on", "sk_one,sk_two", "sk_three"]) {
    for (const path of ["/v1/payments/p1", "/v1/payments/none", "/v1/nothing"]) {
      expect(await test.call("GET", path, undefined, key)).toMatchObject({
        status: 401,
        body: { error: { code: "key_wrong" } },
      });
    }
  }
  for (const key of ["sk_one", "sk_two"]) {
    expect((await test.call("GET", "/v1/payments/p1", undefined, key)).status).toBe(200);
  }
});

test("the same reference is the same payment, and with other content it is refused", async () => {
  await using test = await testGateway();
  const first = await test.pay();
  expect(first).toMatchObject({ status: 201, body: { reference: "p1", state: "pending", received: null } });
  expect(await test.pay()).toMatchObject({ status: 200, body: first.body });
  for (const change of [
    { amount: "5000001" },
    { currency: "USD" },
    { description: "Ghost" },
    { save_method: true },
    { return_url: "http://127.0.0.1:3000/other" },
    { expires_at: "2026-03-02T05:00:00Z" },
    { method: { type: "on_file", token: "card_1" } },
  ]) {
    expect(await test.pay(change)).toMatchObject({ status: 409, body: { error: { code: "reference_used" } } });
  }
  test.gateway.pay("p1", cardOf(cards.succeeds.number));
  expect(await test.pay()).toMatchObject({ status: 200, body: { id: first.body["id"], state: "succeeded" } });
  expect(test.merchant()).toBe(5_000_000n);
  expect(test.gateway.payments()).toHaveLength(1);
});

test("twenty equal requests at once make one payment and take the money once", async () => {
  await using test = await testGateway();
  await test.pay({ reference: "first", save_method: true });
  const paid = test.gateway.pay("first", cardOf(cards.succeeds.number));
  const order = { method: { type: "on_file", token: paid.saved_method?.token } };
  const answers = await Promise.all(Array.from({ length: 20 }, () => test.pay(order)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(new Set(answers.map(({ body }) => body["id"])).size).toBe(1);
  expect(test.merchant()).toBe(10_000_000n);
});

test.each([
  ["amount", 5_000_000],
  ["amount", "50000.00"],
  ["amount", "0"],
  ["amount", "-5"],
  ["amount", "05"],
  ["amount", "1".repeat(19)],
  ["currency", "idr"],
  ["reference", ""],
  ["reference", "a/b"],
  ["reference", "a".repeat(65)],
  ["description", "two\nlines"],
  ["method", "checkout"],
  ["method", { type: "on_file" }],
  ["method", { type: "checkout", token: "card_1" }],
  ["save_method", "no"],
  ["return_url", "javascript:alert(1)"],
  ["return_url", "/done"],
  ["expires_at", "tomorrow"],
  ["expires_at", "2026-13-02T05:00:00Z"],
  ["tip", "100"],
])("a payment with %s %j is refused and not made", async (member, value) => {
  await using test = await testGateway();
  expect(await test.pay({ [member]: value })).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_request" } },
  });
  expect(test.gateway.payments()).toEqual([]);
});

test("what cannot be done has a word of its own", async () => {
  await using test = await testGateway();
  expect((await test.pay({ currency: "XAU" })).body.error.code).toBe("currency_unknown");
  expect((await test.pay({ method: { type: "on_file", token: "card_none" } })).body.error.code).toBe("method_unknown");
  expect((await test.pay({ expires_at: "2026-03-02T03:00:00Z" })).body.error.code).toBe("expiry_in_the_past");
  expect((await test.get("p1")).body.error.code).toBe("payment_unknown");
  expect((await test.call("POST", "/v1/payments/p1/cancel")).body.error.code).toBe("payment_unknown");
  expect((await test.call("GET", "/v1/refunds/r1")).body.error.code).toBe("refund_unknown");
  expect((await test.call("POST", "/v1/payments", "{")).body.error.code).toBe("invalid_request");
  expect((await test.call("GET", "/v1/payments/%ff")).body.error.code).toBe("invalid_request");
  expect((await test.call("PUT", "/v1/payments/p1")).body.error.code).toBe("page_unknown");
  expect(await test.call("POST", "/v1/payments", `"${"x".repeat(70_000)}"`)).toMatchObject({ status: 413 });
});

test("a kept card is charged without the customer, and its number decides how that ends", async () => {
  await using test = await testGateway();
  const tokens: Record<string, string> = {};
  for (const [name, { number }] of Object.entries(cards)) {
    if (cards[name as keyof typeof cards].atCheckout.failure !== null) continue;
    await test.pay({ reference: `keep-${name}`, save_method: true });
    test.gateway.pay(`keep-${name}`, cardOf(number));
    test.pass(5_000);
    const { saved_method: kept } = test.gateway.payments().at(-1) ?? {};
    tokens[name] = kept?.token ?? "";
    expect(kept?.label).toMatch(/^(Visa|Mastercard) \d{4}$/);
  }
  const charge = async (name: string): Promise<unknown> => {
    const { body } = await test.pay({ reference: `again-${name}`, method: { type: "on_file", token: tokens[name] } });
    expect(body["checkout_url"]).toBeNull();
    return [body["state"], body["failure"]];
  };
  const before = test.merchant();
  expect(await charge("succeeds")).toEqual(["succeeded", null]);
  expect(await charge("declinedOnFile")).toEqual(["failed", "card_declined"]);
  expect(await charge("insufficientOnFile")).toEqual(["failed", "insufficient_funds"]);
  expect(await charge("delayedOnFile")).toEqual(["processing", null]);
  expect(test.merchant() - before).toBe(5_000_000n);
  test.pass(4_999);
  expect((await test.get("again-delayedOnFile")).body["state"]).toBe("processing");
  test.pass(1);
  expect((await test.get("again-delayedOnFile")).body["state"]).toBe("succeeded");
  expect(test.merchant() - before).toBe(10_000_000n);
});

test("a card is kept only if that was wished, and only once it has paid", async () => {
  await using test = await testGateway();
  await test.pay();
  expect(test.gateway.pay("p1", cardOf(cards.succeeds.number)).saved_method).toBeNull();
  await test.pay({ reference: "p2", save_method: true });
  expect(test.gateway.pay("p2", cardOf(cards.declined.number))).toMatchObject({ state: "pending", saved_method: null });
  const unticked = { ...cardOf(cards.succeeds.number), isKept: false };
  expect(test.gateway.pay("p2", unticked)).toMatchObject({ state: "succeeded", saved_method: null });
});

test("who is declined at the checkout may try again, so many times", async () => {
  await using test = await testGateway();
  await test.pay();
  const declined = test.gateway.pay("p1", cardOf(cards.insufficientFunds.number));
  expect(declined).toMatchObject({ state: "pending", failure: "insufficient_funds", received: null });
  expect(test.gateway.pay("p1", cardOf(cards.succeeds.number))).toMatchObject({ state: "succeeded", failure: null });
  await test.pay({ reference: "p2" });
  for (let attempt = 0; attempt < 4; attempt += 1) test.gateway.pay("p2", cardOf(cards.declined.number));
  expect(test.gateway.pay("p2", cardOf(cards.declined.number)).state).toBe("failed");
  expect(() => test.gateway.pay("p2", cardOf(cards.succeeds.number))).toThrow("it is failed");
  expect(test.merchant()).toBe(5_000_000n);
});

test("nobody pays twice, and nobody pays what is cancelled or expired", async () => {
  await using test = await testGateway();
  for (const reference of ["paid", "cancelled", "expired"]) await test.pay({ reference });
  test.gateway.pay("paid", { type: "qris" });
  const cancelled = await test.call("POST", "/v1/payments/cancelled/cancel");
  expect(cancelled.body).toMatchObject({ state: "cancelled", checkout_url: null });
  test.pass(3_600_000);
  for (const reference of ["paid", "cancelled", "expired"]) {
    expect(() => test.gateway.pay(reference, { type: "virtual_account" })).toThrow("Nobody can pay this");
  }
  expect((await test.get("expired")).body).toMatchObject({ state: "expired", checkout_url: null });
  expect((await test.call("POST", "/v1/payments/paid/cancel")).body["state"]).toBe("succeeded");
  expect((await test.call("POST", "/v1/payments/expired/cancel")).body["state"]).toBe("expired");
  expect(test.merchant()).toBe(5_000_000n);
});

test("what is under way can be called back, and a decline that comes late reopens the checkout", async () => {
  await using test = await testGateway();
  await test.pay();
  expect(test.gateway.pay("p1", cardOf(cards.delayed.number))).toMatchObject({
    state: "processing",
    checkout_url: null,
  });
  expect((await test.call("POST", "/v1/payments/p1/cancel")).body["state"]).toBe("cancelled");
  await test.pay({ reference: "p2" });
  test.gateway.pay("p2", cardOf(cards.delayedDecline.number));
  test.pass(5_000);
  expect((await test.get("p2")).body).toMatchObject({ state: "pending", failure: "card_declined" });
  test.pass(3_600_000);
  expect((await test.get("p1")).body["state"]).toBe("cancelled");
  expect(test.merchant()).toBe(0n);
});

test("a transfer may bring another amount or currency, or come when nobody can pay any more", async () => {
  await using test = await testGateway();
  await test.pay();
  const short = { amount: 4_000_000n, currency: "IDR" };
  expect(test.gateway.pay("p1", { type: "virtual_account", received: short })).toMatchObject({
    state: "succeeded",
    amount: "5000000",
    received: { amount: "4000000", currency: "IDR" },
  });
  await test.pay({ reference: "p2" });
  test.gateway.pay("p2", { type: "virtual_account", received: { amount: 300n, currency: "USD" } });
  await test.pay({ reference: "p3" });
  test.pass(3_600_000);
  expect(test.gateway.pay("p3", { type: "qris", isLate: true }).state).toBe("succeeded");
  expect([test.merchant("IDR"), test.merchant("USD")]).toEqual([9_000_000n, 300n]);
});

test("refunds are idempotent, and never more than what was paid", async () => {
  await using test = await testGateway();
  expect((await test.refund({ amount: "1" })).body.error.code).toBe("payment_unknown");
  await test.pay();
  expect((await test.refund({ amount: "1" })).body.error.code).toBe("payment_not_paid");
  test.gateway.pay("p1", cardOf(cards.succeeds.number));
  expect((await test.refund({ amount: "5000001" })).body.error.code).toBe("refund_exceeds_payment");
  expect((await test.refund({ amount: "1", currency: "USD" })).body.error.code).toBe("currency_differs");
  const first = await test.refund({ amount: "3000000" });
  expect(first).toMatchObject({
    status: 201,
    body: { state: "succeeded", payment_reference: "p1", amount: "3000000" },
  });
  expect(await test.refund({ amount: "3000000" })).toMatchObject({ status: 200, body: first.body });
  expect((await test.refund({ amount: "2000000" })).body.error.code).toBe("reference_used");
  expect((await test.refund({ reference: "r2", amount: "2000001" })).body.error.code).toBe("refund_exceeds_payment");
  const rest = await Promise.all(["r3", "r4", "r5"].map((reference) => test.refund({ reference, amount: "1000000" })));
  expect(rest.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 201, 422]);
  expect(test.merchant()).toBe(0n);
  expect((await test.call("GET", "/v1/refunds/r1")).body).toEqual(first.body);
});

test("a refund to a bank account takes a while, counts from the start, and gives nothing when it fails", async () => {
  await using test = await testGateway();
  await test.pay();
  test.gateway.pay("p1", { type: "virtual_account" });
  test.gateway.faults.failRefunds({ failure: "account_closed" });
  expect((await test.refund({ amount: "5000000" })).body["state"]).toBe("pending");
  expect((await test.refund({ reference: "r2", amount: "1" })).body.error.code).toBe("refund_exceeds_payment");
  test.pass(5_000);
  expect((await test.call("GET", "/v1/refunds/r1")).body).toMatchObject({ state: "failed", failure: "account_closed" });
  expect(test.merchant()).toBe(5_000_000n);
  expect((await test.refund({ reference: "r2", amount: "5000000" })).body["state"]).toBe("pending");
  test.pass(5_000);
  expect(test.gateway.refunds().map(({ state }) => state)).toEqual(["failed", "succeeded"]);
  expect(test.merchant()).toBe(0n);
});
