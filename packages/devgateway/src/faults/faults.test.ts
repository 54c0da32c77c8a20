import { expect, test } from "vitest";
import { cards } from "../payments/cards.ts";
import { type TestGateway, testGateway } from "../testing/gateway.ts";
import type { FaultyAnswer } from "./answers.ts";

async function isMade(test: TestGateway): Promise<boolean> {
  return (await test.get("p1")).status === 200;
}

test.each<readonly [FaultyAnswer, boolean]>([
  ["cut", false],
  ["lost", true],
])("a connection that is %j is reset, and whether the payment was made is %j", async (how, made) => {
  await using test = await testGateway();
  test.gateway.faults.answer({ operation: "createPayment", times: 1 }, how);
  await expect(test.pay()).rejects.toThrow("fetch failed");
  expect(await isMade(test)).toBe(made);
  expect((await test.pay()).status).toBe(made ? 200 : 201);
});

test.each<readonly [FaultyAnswer, boolean]>([
  ["silent", false],
  ["hung", true],
])(
  "a gateway that is %j keeps the connection and says nothing; whether it did it is %j; and it still stops",
  async (how, made) => {
    const test = await testGateway();
    const met = test.gateway.faults.answer({ operation: "createPayment", times: 1 }, how);
    const ended: string[] = [];
    const call = test.pay().then(
      () => ended.push("answered"),
      () => ended.push("broken"),
    );
    await expect.poll(() => met.met).toBe(1);
    await expect.poll(() => isMade(test)).toBe(made);
    expect(ended).toEqual([]);
    await test.gateway.stop();
    await call;
    expect(ended).toEqual(["broken"]);
  },
);

test.each([400, 401, 403, 404, 408, 422, 429, 500, 502, 503, 504] as const)(
  "a %i does nothing, unless it lies",
  async (status) => {
    await using test = await testGateway();
    test.gateway.faults.answer({ operation: "createPayment", times: 1 }, { status, retryAfterSeconds: 7 });
    const refused = await test.pay();
    expect(refused).toMatchObject({ status, body: { error: { message: "The gateway cannot do this now." } } });
    expect(refused.headers.get("retry-after")).toBe(status === 429 || status === 503 ? "7" : null);
    expect(await isMade(test)).toBe(false);
    test.gateway.faults.answer({ operation: "createPayment", times: 1 }, { status, isDone: true });
    expect((await test.pay()).status).toBe(status);
    expect(await isMade(test)).toBe(true);
  },
);

test("a garbled answer is a page, and the payment is made", async () => {
  await using test = await testGateway();
  test.gateway.faults.answer({ times: 1 }, "garbled");
  await expect(test.pay()).rejects.toThrow("JSON");
  expect(await isMade(test)).toBe(true);
});

test("what is delayed is done later, even when nobody waits any more", async () => {
  await using test = await testGateway();
  const slow = test.gateway.faults.answer({ operation: "createPayment" }, { delayMs: 50 });
  const leaving = new AbortController();
  const call = fetch(`${test.gateway.url}/v1/payments`, {
    method: "POST",
    headers: { authorization: `Bearer ${test.gateway.secretKey}` },
    body: JSON.stringify(test.order()),
    signal: leaving.signal,
  });
  await expect.poll(() => slow.met).toBe(1);
  leaving.abort();
  await expect(call).rejects.toThrow("abort");
  await expect.poll(() => isMade(test)).toBe(true);
});

test("a switch meets its operation, after those that it lets pass, as often as it was told; clear ends all", async () => {
  await using test = await testGateway();
  const { faults } = test.gateway;
  const refused = faults.answer({ operation: "createPayment", skip: 1, times: 2 }, { status: 500 });
  const create = async (reference: string): Promise<number> => (await test.pay({ reference })).status;
  expect([await create("p1"), (await test.get("p1")).status]).toEqual([201, 200]);
  expect([await create("p2"), await create("p2"), await create("p2")]).toEqual([500, 500, 201]);
  expect(refused.met).toBe(2);
  faults.answer({}, { status: 503 });
  faults.declineNext();
  expect((await test.get("p1")).status).toBe(503);
  faults.clear();
  expect((await test.get("p1")).status).toBe(200);
  expect(test.gateway.pay("p1", { type: "card", number: cards.succeeds.number }).state).toBe("succeeded");
});

test("a share of the requests is drawn from the seed: the same ones each time, and about as many as told", async () => {
  const met = async (seed: number): Promise<string> => {
    await using test = await testGateway();
    test.gateway.faults.answer({ share: { of: 0.3, seed } }, { status: 500 });
    let pattern = "";
    for (let call = 0; call < 60; call += 1) pattern += (await test.get("p1")).status === 500 ? "x" : ".";
    return pattern;
  };
  const [one, again, other] = [await met(1), await met(1), await met(2)];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
  const count = one.replaceAll(".", "").length;
  expect(count).toBeGreaterThan(8);
  expect(count).toBeLessThan(30);
});

test("the next charges are declined whatever the card, so often", async () => {
  await using test = await testGateway();
  await test.pay({ save_method: true });
  test.gateway.faults.declineNext({ failure: "stolen_card", times: 2 });
  const pay = () => test.gateway.pay("p1", { type: "card", number: cards.succeeds.number });
  expect([pay().failure, pay().failure, pay().state]).toEqual(["stolen_card", "stolen_card", "succeeded"]);
  test.gateway.faults.declineNext();
  const token = test.gateway.payments()[0]?.saved_method?.token;
  const { body } = await test.pay({ reference: "p2", method: { type: "on_file", token } });
  expect(body).toMatchObject({ state: "failed", failure: "card_declined" });
});
