import { sweepPayments } from "@sewa/core";
import { type Client, withCore } from "@sewa/dev";
import { expect, test } from "vitest";
import { toUuid } from "../faults/life.ts";
import { type House, isUp, reached, startHouse, until } from "../house.ts";
import { ended, expectOneTruth, openCheckout, orderDear, referenceOf } from "./house.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
type Payment = Awaited<ReturnType<typeof openCheckout>>;

/** A house that no webhook reaches, with a gateway whose time is set by hand. */
async function startDeafHouse(): Promise<House & { passAtGateway(ms: number): void }> {
  let passedMs = 0;
  const house = await startHouse({ gatewayClock: () => new Date(Date.now() + passedMs) });
  house.parts.gateway.webhooks.drop(10_000);
  return {
    ...house,
    passAtGateway(ms) {
      passedMs += ms;
      house.parts.gateway.catchUp();
    },
  };
}

/** The house's time is the database's: what lies ahead of the payment comes nearer. Then the minute's sweep. */
async function pass(house: House, { id }: Payment, ms: number): Promise<void> {
  await withCore(house.parts, async (ctx) => {
    await ctx.db.drizzle.execute(`update payment_intents set expires_at = expires_at - interval '${ms} milliseconds',
      next_look_at = next_look_at - interval '${ms} milliseconds' where id = '${toUuid("intent", id)}'`);
    await sweepPayments(ctx);
  });
}

async function expire(house: Awaited<ReturnType<typeof startDeafHouse>>, client: Client, payment: Payment) {
  house.passAtGateway(25 * hourMs);
  await pass(house, payment, 25 * hourMs);
  expect(await ended(client, payment)).toMatchObject({ status: "expired" });
}

const found = ({ api }: Client, { id }: Payment) =>
  until("the money is found", async () => {
    const { status } = await api.payments.get.query({ paymentId: id });
    return status === "succeeded" ? true : null;
  });

test(
  "money that comes after the checkout has expired, of which no webhook ever tells, is found by the worker: the app runs, and it is booked once",
  { timeout: 120_000 },
  async () => {
    await using house = await startDeafHouse();
    await using client = await house.customer();
    const { gateway } = house.parts;
    const { instanceId, invoiceId } = await orderDear(client);
    const payment = await openCheckout(client, invoiceId);
    await expire(house, client, payment);
    gateway.pay(referenceOf(payment), { type: "virtual_account", isLate: true });
    await pass(house, payment, 10 * minuteMs);
    await found(client, payment);
    await reached(client, instanceId, isUp);
    await expectOneTruth(house);

    // Then the webhook is heard all the same, signed when the house would have it.
    house.passAtGateway(-25 * hourMs);
    gateway.webhooks.clear();
    const statuses = await Promise.all(gateway.webhooks.events().map(({ id }) => gateway.webhooks.resend(id)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await until("every webhook was taken to heart", async () => {
      const [row] = await withCore(house.parts, (ctx) =>
        ctx.db.drizzle.execute<{ left: number }>(
          "select count(*)::int as left from payment_notices where applied_at is null",
        ),
      );
      return row?.left === 0 ? true : null;
    });
    await expectOneTruth(house);
    const { balances } = await client.api.wallet.get.query();
    expect(balances.filter(({ amountMinor }) => amountMinor !== 0n)).toEqual([]);
  },
);

test(
  "money that comes late for an app that was given up is in the wallet, without a webhook, and its customer is told",
  { timeout: 120_000 },
  async () => {
    await using house = await startDeafHouse();
    await using client = await house.customer();
    const { api } = client;
    const { gateway } = house.parts;
    const { subscriptionId, invoiceId } = await orderDear(client);
    const payment = await openCheckout(client, invoiceId);
    await expire(house, client, payment);
    await api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey: "cancel-0001" });
    // Two looks find nothing, and then it comes.
    for (const ms of [10 * minuteMs, hourMs]) {
      const looks = gateway.faults.answer({ operation: "cancelPayment" }, { delayMs: 0 });
      await pass(house, payment, ms);
      await until("the worker has looked", () => (looks.met > 0 ? true : null));
      await until("it knows when to look again", async () => {
        const [row] = await withCore(house.parts, (ctx) =>
          ctx.db.drizzle.execute<{ due: boolean }>(
            `select next_look_at <= now() as due from payment_intents where id = '${referenceOf(payment)}'`,
          ),
        );
        return row?.due === false ? true : null;
      });
      gateway.faults.clear();
    }
    gateway.pay(referenceOf(payment), { type: "virtual_account", isLate: true });
    await pass(house, payment, 24 * hourMs);
    await found(client, payment);
    const { balances } = await api.wallet.get.query();
    expect(balances.map(({ amountMinor }) => amountMinor)).toEqual([payment.amount.amountMinor]);
    await expectOneTruth(house);
    await house.parts.mailHouse!.waitFor(({ to, text }) => to.includes(client.email) && text.includes("wallet"));
  },
);
