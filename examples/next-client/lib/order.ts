import type { AppRouter, RouterOutputs } from "@sewa/api";
import type { TRPCClient } from "@trpc/client";
import { refusalOf } from "./errors";

export type Quote = RouterOutputs["orders"]["quote"];

/** What is left out of the parameters gets the plan's default. A form would ask for them: `offerings.get` describes each. */
const parameters = {};

/** What it would cost now. Nothing is held or charged by asking. */
export function quotePlan(api: TRPCClient<AppRouter>, planId: string): Promise<Quote> {
  return api.orders.quote.query({ planId, parameters });
}

export type Placed =
  | { readonly kind: "placed"; readonly instanceId: string }
  /** The price is another by now: the customer has to agree again. */
  | { readonly kind: "changed"; readonly quote: Quote };

/**
 * Orders at the price of the quote. `idempotencyKey` is made once for one wish of the customer: whoever presses twice, or tries
 * again after a lost answer, gets the same order.
 */
export async function placeQuoted(
  api: TRPCClient<AppRouter>,
  { planId, priceKey }: Quote,
  { name, idempotencyKey }: { readonly name: string; readonly idempotencyKey: string },
): Promise<Placed> {
  try {
    const { subscription } = await api.orders.place.mutate({ planId, parameters, name, priceKey, idempotencyKey });
    return { kind: "placed", instanceId: subscription.instanceId };
  } catch (error) {
    if (refusalOf(error)?.appCode !== "PRICE_CHANGED") throw error;
    return { kind: "changed", quote: await quotePlan(api, planId) };
  }
}
