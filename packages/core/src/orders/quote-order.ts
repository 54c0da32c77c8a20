import { getOrganization } from "../accounts/index.ts";
import { authorize } from "../permissions.ts";
import { type CapacityVerdict, checkCapacity } from "../capacity/index.ts";
import {
  getOrderablePlan,
  loadBlueprint,
  type Offering,
  type Plan,
  type PricedItem,
  priceItems,
  totalOf,
} from "../catalog/index.ts";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { canonicalJson } from "../json.ts";
import type { Money } from "../money.ts";
import { addDays, type Period, periodAt } from "../periods.ts";
import { deriveTaxes, ratesOf, type Tax } from "../taxes/index.ts";
import { measureOwnMeters } from "../usage/index.ts";

export interface QuoteInput {
  readonly planId: string;
  /** Values for the blueprint's parameters, by name. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface Quote {
  readonly offering: Offering;
  readonly plan: Plan;
  readonly priceId: string;
  /** Hand it to `orders.place`, which refuses when anything that the quote said about money has changed since. */
  readonly priceKey: string;
  /** What each period costs, in parts. */
  readonly items: readonly PricedItem[];
  /** The items together: the price of each later period. */
  readonly price: Money;
  readonly taxes: readonly Tax[];
  /** With the taxes that prices do not contain. */
  readonly total: Money;
  /** The first period if it were paid now. */
  readonly period: Period;
  readonly renewalOpensAt: Date;
  /** When the data would be deleted if it were never renewed. */
  readonly dataDeletedAt: Date;
  readonly capacity: CapacityVerdict;
}

/** What an order would cost and bring, and whether there is room for it now. Promises nothing and writes nothing. */
export async function quoteOrder(ctx: CoreContext, input: QuoteInput): Promise<Quote> {
  authorize(ctx.actor, "order.place");
  return ctx.transaction(async (tx) => (await prepareOrder(tx, input)).quote);
}

export interface PreparedOrder {
  readonly quote: Quote;
  readonly timeZone: string;
}

/** The same work for a quote and for the order itself, so that what was quoted is what is booked. */
export async function prepareOrder(tx: Tx, { planId, parameters }: QuoteInput): Promise<PreparedOrder> {
  const { plan, offering } = await getOrderablePlan(tx, planId);
  if (plan.price === null) throw new DomainError("NO_PRICE", "This plan has no price in the currency of the house.");
  const blueprint = await loadBlueprint(tx, plan.blueprintVersionId);
  const { amountMinor: baseMinor, currency } = plan.price.money;
  const items = await priceItems(tx, { planId, baseMinor, blueprint, parameters, currency });
  await measureOwnMeters(tx, { priceId: plan.price.id, blueprint, parameters });
  const { timeZone } = await getOrganization(tx);
  const priceMinor = totalOf(items);
  const { taxes, totalMinor } = deriveTaxes(priceMinor, await ratesOf(tx, tx.now));
  const period = periodAt(tx.now, plan.interval, timeZone, 0);
  const quote: Quote = {
    offering,
    plan,
    priceId: plan.price.id,
    priceKey: derivePriceKey(plan, items, taxes),
    items,
    price: { amountMinor: priceMinor, currency },
    taxes,
    total: { amountMinor: totalMinor, currency },
    period,
    renewalOpensAt: addMs(period.end, -tx.ctx.config.renewalLeadDays * dayMs),
    dataDeletedAt: addDays(period.end, plan.gracePeriodDays + plan.pastDueDays, timeZone),
    capacity: await checkCapacity(tx, plan.nodePool, {
      cpuMillis: plan.limits.cpuRequestMillis,
      memoryBytes: plan.limits.memoryRequestBytes,
    }),
  };
  return { quote, timeZone };
}

function derivePriceKey({ price, interval }: Plan, items: Quote["items"], taxes: readonly Tax[]): string {
  const facts = {
    price: price?.id,
    currency: price?.money.currency,
    interval,
    items,
    taxes: taxes.map(({ taxRateId, amountMinor }) => [taxRateId, amountMinor.toString()]),
  };
  return sha256Hex(canonicalJson(facts)).slice(0, 32);
}
