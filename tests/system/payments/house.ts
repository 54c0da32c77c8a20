import type { RouterOutputs } from "@sewa/api";
import { withCore, type Client } from "@sewa/dev";
import { expect } from "vitest";
import { toUuid } from "../faults/life.ts";
import { type House, until } from "../house.ts";

type Payment = RouterOutputs["payments"]["get"];

export interface DearOrder {
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly invoiceId: string;
}

/** Orders a plan that costs. Nothing is made before its invoice is paid. */
export async function orderDear({ api }: Client): Promise<DearOrder> {
  const { items } = await api.offerings.list.query({});
  const { plans } = items.find(({ slug }) => slug === "uptime-kuma")!;
  const plan = plans.find(({ price }) => price !== null && price.amountMinor > 0n)!;
  const quote = await until("there is room", async () => {
    const asked = await api.orders.quote.query({ planId: plan.id, parameters: {} });
    return asked.capacity.fits ? asked : null;
  });
  const { subscription } = await api.orders.place.mutate({
    planId: plan.id,
    parameters: {},
    name: "App",
    priceKey: quote.priceKey,
    idempotencyKey: `order-${crypto.randomUUID()}`,
  });
  const invoices = await api.invoices.list.query({});
  const invoice = invoices.items.find(({ subscriptionId }) => subscriptionId === subscription.id)!;
  return { subscriptionId: subscription.id, instanceId: subscription.instanceId, invoiceId: invoice.id };
}

/** Begins to pay on the gateway's page, and waits until it is there. */
export async function openCheckout({ api }: Client, invoiceId: string, savesMethod = false): Promise<Payment> {
  const idempotencyKey = `pay-${crypto.randomUUID()}`;
  const { id } = await api.payments.start.mutate({ invoiceId, method: "checkout", savesMethod, idempotencyKey });
  return until("there is a page to pay on", async () => {
    const payment = await api.payments.get.query({ paymentId: id });
    return payment.checkoutUrl === null ? null : payment;
  });
}

export const referenceOf = ({ id }: Pick<Payment, "id">): string => toUuid("intent", id);

export async function ended({ api }: Client, { id }: Pick<Payment, "id">): Promise<Payment> {
  return until("the payment has ended", async () => {
    const payment = await api.payments.get.query({ paymentId: id });
    return payment.status === "created" || payment.status === "pending" ? null : payment;
  });
}

/** What the gateway holds is what the books of all organizations say that it holds. */
export async function expectOneTruth(house: House): Promise<void> {
  const [row] = await withCore(house.parts, (ctx) =>
    ctx.db.drizzle.execute(
      "select coalesce(sum(balance_minor), 0)::text as cash from ledger_accounts where kind = 'cash'",
    ),
  );
  const { gateway } = house.parts;
  const received = gateway
    .payments()
    .filter(({ state }) => state === "succeeded")
    .reduce((sum, { received: came, amount }) => sum + BigInt(came?.amount ?? amount), 0n);
  const returned = gateway
    .refunds()
    .filter(({ state }) => state === "succeeded")
    .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  // The gateway counts a Rupiah in hundredths.
  expect(row?.["cash"]).toBe(((received - returned) / 100n).toString());
}
