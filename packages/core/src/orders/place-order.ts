import { orders } from "@sewa/db/schema";
import { authorize } from "../permissions.ts";
import { assertNotParked, lockOrganization } from "../accounts/index.ts";
import { formatActor } from "../actor.ts";
import { holdCapacity } from "../capacity/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { countTries, redeemCoupon } from "../coupons/index.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { createInstance } from "../instances/index.ts";
import {
  countLiveSubscriptions,
  createSubscription,
  nothingToPay,
  draftInvoice,
  openDraft,
  payAndFollow,
  takeFreePlace,
  takeTrial,
} from "../subscriptions/index.ts";
import { noteUsageTerms } from "../usage/index.ts";
import { type OrderView, toOrderView } from "./queries.ts";
import { prepareOrder, type QuoteInput } from "./quote-order.ts";

export interface PlaceOrderInput extends QuoteInput {
  /** What the customer calls this app; typed again before it is deleted. */
  readonly name: string;
  /** What the quote said about money; anything else is refused with PRICE_CHANGED. */
  readonly priceKey: string;
  readonly idempotencyKey: string;
}

/**
 * Order, subscription, instance, room, invoice, payment, events, audit and job in one transaction: all of it or nothing.
 * Nothing to pay goes the same way: it is paid at once, and the instance is wanted from then on. Otherwise the order
 * waits for its money, with its room held.
 */
export async function placeOrder(ctx: CoreContext, input: PlaceOrderInput): Promise<OrderView> {
  authorize(ctx.actor, "order.place");
  const { idempotencyKey: key, ...request } = input;
  return countTries(ctx, input.couponCode, () =>
    once(ctx, { key, procedure: "orders.place", input: request }, async (tx) => {
      await refuseTooMany(tx);
      await assertNotParked(tx);
      const { quote, timeZone } = await prepareOrder(tx, input);
      const { plan, addons, limits, offering, items, taxes, total, priceId, discount, trialPeriods } = quote;
      if (quote.priceKey !== input.priceKey)
        throw new DomainError("PRICE_CHANGED", "The price has changed since it was quoted.");
      const subscription = await createSubscription(tx, {
        plan,
        priceId,
        currency: total.currency,
        items,
        timeZone,
        withTrial: trialPeriods !== null,
      });
      if (trialPeriods !== null) await takeTrial(tx, offering.id, subscription.id);
      if (plan.onePerPerson) await takeFreePlace(tx, offering.id, subscription.id);
      if (discount !== null) await redeemCoupon(tx, discount, subscription.id);
      const instance = await createInstance(tx, {
        subscriptionId: subscription.id,
        planId: plan.id,
        blueprintVersionId: plan.blueprintVersionId,
        offeringSlug: offering.slug,
        name: input.name,
        parameters: input.parameters,
        addons,
        limits,
        nodePool: plan.nodePool,
      });
      await noteUsageTerms(tx, subscription.id);
      const [order] = await tx.sql
        .insert(orders)
        .values({
          id: tx.ctx.ids.next(),
          organizationId: organizationOf(tx),
          subscriptionId: subscription.id,
          planId: plan.id,
          priceId,
          parameters: { ...input.parameters },
          addons: { ...addons },
          currency: total.currency,
          totalMinor: total.amountMinor,
          taxMinor: taxes.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
          placedBy: formatActor(ctx.actor),
          placedAt: tx.now,
        })
        .returning();
      assert(order !== undefined, "an inserted order is returned");
      record(tx, {
        type: "order.placed",
        orderId: order.id,
        subscriptionId: subscription.id,
        instanceId: instance.id,
        data: {
          offering: offering.slug,
          plan: plan.slug,
          totalMinor: total.amountMinor.toString(),
          currency: total.currency,
        },
      });
      await holdCapacity(tx, {
        instanceId: instance.id,
        pool: plan.nodePool,
        demand: { cpuMillis: plan.limits.cpuRequestMillis, memoryBytes: plan.limits.memoryRequestBytes },
      });
      const invoice = await openDraft(tx, await draftInvoice(tx, subscription));
      if (total.amountMinor === 0n) await payAndFollow(tx, { subscription, instance }, invoice, nothingToPay(invoice));
      return toOrderView(tx, order.id);
    }),
  );
}

/** Orders that wait for their money count too: they hold room. Two orders at once are counted one after the other. */
async function refuseTooMany(tx: Tx): Promise<void> {
  const { maxInstancesPerOrganization } = tx.ctx.config;
  await lockOrganization(tx);
  if ((await countLiveSubscriptions(tx)) >= maxInstancesPerOrganization) {
    throw new DomainError("QUOTA_EXCEEDED", `An organization can rent ${maxInstancesPerOrganization} apps at once.`);
  }
}
