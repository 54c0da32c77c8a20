import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { cards } from "../payments/cards.ts";
import { type ReceivedWebhook, testGateway, testReceiver } from "../testing/gateway.ts";

/** The signatures that fit, counted the way a client would. */
function fitting({ headers, body }: ReceivedWebhook, secret: string): number {
  const [, seconds, rest = ""] = /^t=(\d+),(.*)$/.exec(String(headers["sandbox-signature"])) ?? [];
  const expected = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return rest.split(",").filter((part) => part === `v1=${expected}`).length;
}

test("each change is news, signed over the bytes that were sent and the time of the gateway", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url, webhookSecrets: ["whsec_one"] });
  await test.pay();
  test.gateway.pay("p1", { type: "card", number: cards.declined.number });
  test.gateway.pay("p1", { type: "qris" });
  await test.refund({ amount: "5" });
  test.pass(5_000);
  await test.gateway.webhooks.idle();
  expect(receiver.types().toSorted()).toEqual([
    "payment.declined",
    "payment.pending",
    "payment.succeeded",
    "refund.pending",
    "refund.succeeded",
  ]);
  const paid = receiver.received.find(({ event }) => event.type === "payment.succeeded");
  expect(paid?.event.data).toMatchObject({ object: "payment", reference: "p1", state: "succeeded" });
  expect(receiver.received.map((webhook) => fitting(webhook, "whsec_one"))).toEqual([1, 1, 1, 1, 1]);
  expect(receiver.received[0]?.headers["sandbox-signature"]).toContain(
    `t=${Date.parse("2026-03-02T03:00:00Z") / 1_000},`,
  );
});

test("with two secrets there are two signatures, so that they can be changed without a gap", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url, webhookSecrets: ["old"] });
  const { webhooks } = test.gateway;
  for (const secrets of [["new", "old"], ["new"]]) {
    webhooks.setSecrets(secrets);
    webhooks.announce("settlement.created");
    await webhooks.idle();
  }
  expect(receiver.received.map((webhook) => [fitting(webhook, "old"), fitting(webhook, "new")])).toEqual([
    [1, 1],
    [0, 1],
  ]);
  expect(() => webhooks.setSecrets([""])).toThrow("none empty");
});

test("an event is sent until it is answered with 2xx, the same event each time", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url, pace: 0 });
  receiver.statuses.push(500, 404, 302);
  await test.pay();
  await test.gateway.webhooks.idle();
  expect(test.gateway.webhooks.attempts().map(({ status }) => status)).toEqual([500, 404, 302, 200]);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
});

test("an event that nobody ever takes is given up", async () => {
  await using test = await testGateway({ webhookUrl: "http://127.0.0.1:1/", pace: 0 });
  await test.pay();
  await test.gateway.webhooks.idle();
  expect(test.gateway.webhooks.attempts().map(({ status }) => status)).toEqual(Array(30).fill(null));
});

test("events can come several times, overtake each other and get lost", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url });
  const { webhooks } = test.gateway;
  const names = Array.from({ length: 12 }, (_, index) => `news.${index}`);
  webhooks.duplicate(3);
  webhooks.reorder(30);
  for (const name of names) webhooks.announce(name);
  await webhooks.idle();
  expect(receiver.types().toSorted()).toEqual(names.flatMap((name) => [name, name, name]).toSorted());
  expect([...new Set(receiver.types())]).not.toEqual(names);
  expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(12);

  webhooks.clear();
  webhooks.drop(1);
  webhooks.announce("lost.one");
  webhooks.announce("found.one");
  await webhooks.idle();
  expect(receiver.types().slice(36)).toEqual(["found.one"]);
  const lost = webhooks.events().find(({ type }) => type === "lost.one");
  expect(await webhooks.resend(lost?.id ?? "")).toBe(200);
  expect(receiver.types().at(-1)).toBe("lost.one");
});

test("what is held comes when it is released, in the order that was asked for", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url });
  const { webhooks } = test.gateway;
  const names = ["one", "two", "three", "four", "five"];
  const seen: string[][] = [];
  for (const order of ["asSent", "reversed", "shuffled"] as const) {
    webhooks.hold();
    for (const name of names) webhooks.announce(name);
    await webhooks.idle();
    expect(receiver.received).toEqual([]);
    await webhooks.release(order);
    seen.push(receiver.types());
    receiver.received.length = 0;
  }
  expect(seen[0]).toEqual(names);
  expect(seen[1]).toEqual(names.toReversed());
  expect(seen[2]).not.toEqual(names);
  expect(seen[2]?.toSorted()).toEqual(names.toSorted());
});

test("news that have nowhere to go wait for an address, which is on this machine", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway();
  await test.pay();
  await test.gateway.webhooks.idle();
  expect(test.gateway.webhooks.attempts()).toEqual([]);
  for (const url of ["http://example.com/", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "nowhere"]) {
    expect(() => test.gateway.webhooks.deliverTo(url)).toThrow("is no address on this machine");
  }
  test.gateway.webhooks.deliverTo(receiver.url);
  await test.gateway.webhooks.idle();
  expect(receiver.types()).toEqual(["payment.pending"]);
});

test("a forged webhook claims that a payment succeeded, with nothing that fits", async () => {
  await using receiver = await testReceiver();
  await using test = await testGateway({ webhookUrl: receiver.url, webhookSecrets: ["whsec_one"] });
  const { webhooks } = test.gateway;
  await test.pay();
  await webhooks.idle();
  receiver.received.length = 0;
  receiver.statuses.push(400);
  const forgeries = ["unsigned", "malformed", "wrongSecret", "changedBody", "stale", "future"] as const;
  expect(await webhooks.forge("p1", forgeries[0])).toBe(400);
  for (const how of forgeries.slice(1)) await webhooks.forge("p1", how);
  expect(receiver.types()).toEqual(Array(6).fill("payment.succeeded"));
  expect(receiver.received.map((webhook) => fitting(webhook, "whsec_one"))).toEqual([0, 0, 0, 0, 1, 1]);
  expect((await test.get("p1")).body["state"]).toBe("pending");
});
