import { testCards } from "@sewa/devgateway";
import { expect, test } from "vitest";
import { isUp, reached, startHouse, until } from "../house.ts";
import { ended, expectOneTruth, openCheckout, orderDear, referenceOf } from "./house.ts";

const dayMs = 24 * 3_600_000;

test(
  "M4 M5 an order is paid on the gateway's page, comes up, and is renewed from the saved card, whatever happens to the webhooks",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const { api } = client;
    const { gateway } = house.parts;
    gateway.webhooks.duplicate(3);
    gateway.webhooks.reorder(200);
    const { instanceId, subscriptionId, invoiceId } = await orderDear(client);

    const payment = await openCheckout(client, invoiceId, true);
    expect((await api.instances.get.query({ instanceId })).desiredPhase).toBe("absent");
    gateway.pay(referenceOf(payment), { type: "card", number: testCards.succeeds.number, isKept: true });

    await reached(client, instanceId, isUp);
    expect(await ended(client, payment)).toMatchObject({ status: "succeeded" });
    expect(await api.invoices.get.query({ invoiceId })).toMatchObject({ status: "paid" });
    await expectOneTruth(house);

    const [method] = (await api.payments.listMethods.query({})).items;
    await api.payments.setAutomatic.mutate({ methodId: method!.id, isAutomatic: true });
    const { now } = await api.clock.get.query();
    await api.clock.advance.mutate({ to: new Date(now.getTime() + 31 * dayMs) });
    const renewed = await until("it is renewed", async () => {
      const subscription = await api.subscriptions.get.query({ subscriptionId });
      const clock = await api.clock.get.query();
      return clock.target > clock.now ? null : subscription;
    });
    expect(renewed).toMatchObject({ status: "active" });
    const invoices = (await api.invoices.list.query({})).items;
    expect(invoices.map(({ status }) => status)).toEqual(["paid", "paid"]);
    expect(gateway.payments().map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
    await gateway.webhooks.idle();
    await expectOneTruth(house);
  },
);

test("a card that is declined charges nothing, and the same page takes another one", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  await using client = await house.customer();
  const { gateway } = house.parts;
  const { instanceId, invoiceId } = await orderDear(client);
  const payment = await openCheckout(client, invoiceId);
  gateway.pay(referenceOf(payment), { type: "card", number: testCards.declined.number });
  await expectOneTruth(house);
  gateway.pay(referenceOf(payment), { type: "card", number: testCards.succeeds.number });
  await reached(client, instanceId, isUp);
  await expectOneTruth(house);
});

test(
  "M8 a payment whose begin was done and not answered is looked up, and asked for once",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const { gateway } = house.parts;
    const { instanceId, invoiceId } = await orderDear(client);
    const faulty = gateway.faults.answer({ operation: "createPayment", times: 1 }, "lost");
    const payment = await openCheckout(client, invoiceId);
    expect(faulty.met).toBe(1);
    expect(gateway.payments()).toHaveLength(1);
    gateway.pay(referenceOf(payment), { type: "qris" });
    await reached(client, instanceId, isUp);
    await expectOneTruth(house);
  },
);
