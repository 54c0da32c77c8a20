import { voidInvoice } from "../billing/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import {
  countTries,
  findCoupon,
  findLiveRedemption,
  getRedemptionView,
  hasOpenUse,
  redeemCoupon,
  type RedemptionView,
} from "../coupons/index.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";
import { openRenewal } from "./apply-action.ts";
import { nextTermsOf } from "./terms.ts";
import { type LoadedSubscription, loadForUpdate } from "./load-subscription.ts";

export interface ApplyCoupon {
  readonly subscriptionId: string;
  readonly code: string;
  readonly idempotencyKey: string;
}

/**
 * Redeems a coupon for a subscription that has begun, from its next invoice on. One that is open, with nothing paid and no payment under
 * way, is taken back and asked for anew. CONFLICT while it has another coupon; NOT_FOUND, in the same words, for every code that cannot
 * be used, and RATE_LIMITED after ten of those.
 */
export async function applyCoupon(ctx: CoreContext, input: ApplyCoupon): Promise<RedemptionView> {
  authorize(ctx.actor, "coupon.apply");
  const { idempotencyKey: key, ...request } = input;
  return countTries(ctx, input.code, () =>
    once(ctx, { key, procedure: "coupons.apply", input: request }, async (tx) => {
      const loaded = await loadForUpdate(tx, input.subscriptionId);
      const { subscription } = loaded;
      if (subscription.status === "pending" || subscription.status === "cancelled")
        throw new DomainError("INVALID_TRANSITION", `The subscription is ${subscription.status}.`);
      const { planId } = nextTermsOf(subscription);
      const discount = await findCoupon(tx, { code: input.code, planId, currency: subscription.currency });
      await refuseSecond(tx, subscription.id);
      await redeemCoupon(tx, discount, subscription.id);
      await askAnew(tx, loaded);
      return getRedemptionView(tx, discount.couponId);
    }),
  );
}

/** A period of the other one that is in an open invoice may come back, so that counts as well. */
async function refuseSecond(tx: Tx, subscriptionId: string): Promise<void> {
  if ((await findLiveRedemption(tx, subscriptionId)) === null && !(await hasOpenUse(tx, subscriptionId))) return;
  throw new DomainError("CONFLICT", "The subscription has another coupon, of which periods are left.");
}

async function askAnew(tx: Tx, loaded: LoadedSubscription): Promise<void> {
  const { subscription, nextInvoice } = loaded;
  const isUntouched =
    nextInvoice?.status === "open" && nextInvoice.paidMinor === 0n && nextInvoice.liveIntentId === null;
  if (!isUntouched) return;
  await voidInvoice(tx, nextInvoice, "A coupon was redeemed.");
  await openRenewal(tx, loaded);
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}
