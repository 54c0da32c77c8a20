import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startDevgateway } from "./devgateway.ts";
import { cards } from "./payments/cards.ts";
import { testGateway, testReceiver } from "./testing/gateway.ts";

async function stateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "devgateway-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "state.json");
}

test("with a state file a gateway that is started again knows its money, its cards, its keys and what it has still to tell", async () => {
  const file = await stateFile();
  await using receiver = await testReceiver();
  const before = await testGateway({ stateFile: file });
  await before.pay({ save_method: true });
  const token = before.gateway.pay("p1", { type: "card", number: cards.succeeds.number }).saved_method?.token;
  await before.refund({ amount: "1000000" });
  await before.pay({ reference: "p2" });
  before.gateway.pay("p2", { type: "card", number: cards.delayed.number });
  const [payments, refunds, ledger] = [before.gateway.payments(), before.gateway.refunds(), before.gateway.ledger()];
  const { secretKey, webhookSecrets } = before.gateway;
  await before.gateway.stop();

  await using after = await testGateway({ stateFile: file });
  expect(after.gateway).toMatchObject({ secretKey, webhookSecrets });
  expect(after.gateway.payments()).toEqual(payments);
  expect(after.gateway.refunds()).toEqual(refunds);
  expect(after.gateway.ledger()).toEqual(ledger);
  expect(await after.pay({ save_method: true })).toMatchObject({ status: 200, body: { state: "succeeded" } });
  expect((await after.pay({ reference: "p3", method: { type: "on_file", token } })).body["state"]).toBe("succeeded");
  after.pass(5_000);
  expect((await after.get("p2")).body["state"]).toBe("succeeded");
  expect(after.merchant()).toBe(14_000_000n);
  after.gateway.webhooks.deliverTo(receiver.url);
  await after.gateway.webhooks.idle();
  expect(receiver.types()).toEqual(expect.arrayContaining(["refund.succeeded", "payment.processing"]));
});

test("a state file that is not one of a gateway is an error and stays as it is", async () => {
  const file = await stateFile();
  await writeFile(file, `{"version":7}`);
  await expect(startDevgateway({ stateFile: file })).rejects.toThrow("is no state of a devgateway");
  expect(await readFile(file, "utf8")).toBe(`{"version":7}`);
});

test("by itself, the gateway sees that a checkout expires and that a delayed card pays", async () => {
  await using test = await testGateway({ pace: 0 });
  await test.pay();
  test.clock.now = new Date(test.clock.now.getTime() + 3_600_000);
  await expect.poll(() => test.gateway.payments()[0]?.state, { timeout: 10_000 }).toBe("expired");
  await test.pay({ reference: "p2" });
  test.gateway.pay("p2", { type: "card", number: cards.delayed.number });
  await expect.poll(() => test.gateway.payments()[1]?.state).toBe("succeeded");
});

test("what makes no sense is refused at the start", async () => {
  await expect(startDevgateway({ pace: -1 })).rejects.toThrow("pace must be a number from 0 on");
  await expect(startDevgateway({ secretKeys: [] })).rejects.toThrow("at least one secret");
  await expect(startDevgateway({ webhookSecrets: [""] })).rejects.toThrow("none empty");
  await expect(startDevgateway({ webhookUrl: "https://example.com/" })).rejects.toThrow("no address on this machine");
});
