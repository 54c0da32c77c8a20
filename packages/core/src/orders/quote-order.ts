import { getOrganization, refuseDisposableAddress } from "../accounts/index.ts";
import { authorize } from "../permissions.ts";
import { type CapacityVerdict, checkCapacity } from "../capacity/index.ts";
import {
  type AddonCounts,
  addonStorageBytes,
  getOrderablePlan,
  loadBlueprint,
  mergeAddons,
  type Offering,
  type Plan,
  type PlanPrice,
  type PricedItem,
  priceItems,
  type PriceIntro,
  totalOf,
} from "../catalog/index.ts";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { countTries, type Discount, findCoupon } from "../coupons/index.ts";
import { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { canonicalJson } from "../json.ts";
import type { Money } from "../money.ts";
import { addDays, type Period, periodAt } from "../periods.ts";
import {
  type Charge,
  deriveCharge,
  firstPeriod,
  refuseSecondFreePlace,
  refuseSecondTrial,
} from "../subscriptions/index.ts";
import { deriveTaxes, ratesOf, type Tax } from "../taxes/index.ts";
import { measureOwnMeters } from "../usage/index.ts";

export interface QuoteInput {
  readonly planId: string;
  /** Values for the blueprint's parameters, by name. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** How many of each add-on of the plan, by its slug: 1 to its `maxCount`. */
  readonly addons?: AddonCounts | undefined;
  readonly couponCode?: string | undefined;
  /** False: the price from the first period on, though there is a trial. */
  readonly withTrial?: boolean | undefined;
}

export interface Quote {
  readonly offering: Offering;
  readonly plan: Plan;
  readonly addons: AddonCounts;
  /** Of the plan, with what the add-ons add. */
  readonly limits: Plan["limits"];
  readonly priceId: string;
  /** Hand it to `orders.place`, which refuses when anything that the quote said about money has changed since. */
  readonly priceKey: string;
  /** What each period costs, in parts, before anything is taken off. */
  readonly items: readonly PricedItem[];
  /** What the first period costs: lines of its invoice. */
  readonly lines: Charge["lines"];
  readonly taxes: readonly Tax[];
  /** Of the lines, with the taxes that prices do not contain. */
  readonly total: Money;
  /** What a period costs after those that the coupon and the trial are for. */
  readonly laterTotal: Money;
  readonly discount: Discount | null;
  /** How many first periods are a trial; null when none is. */
  readonly trialPeriods: number | null;
  /** The first period if it were paid now. */
  readonly period: Period;
  readonly renewalOpensAt: Date;
  /** When the data would be deleted if it were never renewed. */
  readonly dataDeletedAt: Date;
  readonly capacity: CapacityVerdict;
}

/**
 * What an order would cost and bring, and whether there is room for it now. Promises nothing and writes nothing, but a coupon that is
 * not valid counts.
 */
export async function quoteOrder(ctx: CoreContext, input: QuoteInput): Promise<Quote> {
  authorize(ctx.actor, "order.place");
  return countTries(ctx, input.couponCode, () => ctx.transaction(async (tx) => (await prepareOrder(tx, input)).quote));
}

export interface PreparedOrder {
  readonly quote: Quote;
  readonly timeZone: string;
}

/** The same work for a quote and for the order itself, so that what was quoted is what is booked. */
export async function prepareOrder(
  tx: Tx,
  { planId, parameters, addons: given = {}, couponCode: code, withTrial = true }: QuoteInput,
): Promise<PreparedOrder> {
  const { plan, offering } = await getOrderablePlan(tx, planId);
  if (plan.price === null) throw new DomainError("NO_PRICE", "This plan has no price in the currency of the house.");
  const blueprint = await loadBlueprint(tx, plan.blueprintVersionId);
  const { amountMinor: baseMinor, currency } = plan.price.money;
  const addons = mergeAddons(plan.addons, {}, given);
  const items = await priceItems(tx, { planId, baseMinor, blueprint, parameters, currency, addons, held: [] });
  const storageBytes = plan.limits.storageBytes + (await addonStorageBytes(tx, planId, addons));
  await measureOwnMeters(tx, { priceId: plan.price.id, blueprint, parameters });
  const discount = code === undefined ? null : await findCoupon(tx, { code, planId, currency });
  const trial = withTrial ? plan.price.intro.trial : null;
  if (trial !== null) await refuseSecondTrial(tx, offering.id);
  if (plan.onePerPerson) await refuseSecondFreePlace(tx, offering.id);
  if (trial !== null || costsNothing(plan.price, items)) await refuseDisposableAddress(tx);
  const intro = { ...plan.price.intro, trial };
  const terms = { planId, priceId: plan.price.id, items };
  const first = deriveCharge({ ...terms, intro, period: firstPeriod, discount });
  const lasting = discount?.periods === null ? discount : null;
  const regular = { intro: { setupMinor: 0n, trial: null }, period: firstPeriod, discount: lasting };
  const later = deriveCharge({ ...terms, ...regular });
  const { timeZone } = await getOrganization(tx);
  const rates = await ratesOf(tx, tx.now);
  const { taxes, totalMinor } = deriveTaxes(first.totalMinor, rates);
  const period = periodAt(tx.now, plan.interval, timeZone, 0);
  const quote: Quote = {
    offering,
    plan,
    addons,
    limits: { ...plan.limits, storageBytes },
    priceId: plan.price.id,
    priceKey: derivePriceKey(plan, items, { discount, trial, taxes }),
    items,
    lines: first.lines,
    taxes,
    total: { amountMinor: totalMinor, currency },
    laterTotal: { amountMinor: deriveTaxes(later.totalMinor, rates).totalMinor, currency },
    discount,
    trialPeriods: trial?.periods ?? null,
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

/** Of itself, in no period: a coupon may give anything away. */
function costsNothing({ intro, usage }: PlanPrice, items: readonly PricedItem[]): boolean {
  return totalOf(items) === 0n && intro.setupMinor === 0n && usage.length === 0;
}

function derivePriceKey(
  { price, interval }: Plan,
  items: Quote["items"],
  { discount, trial, taxes }: Pick<Quote, "discount" | "taxes"> & Pick<PriceIntro, "trial">,
): string {
  // Neither a price nor a coupon is ever edited, so their ids say all of them.
  const [coupon, isTrial] = [discount?.couponId ?? null, trial !== null];
  const taxed = taxes.map(({ taxRateId, amountMinor }) => [taxRateId, amountMinor.toString()]);
  const facts = { price: price?.id, currency: price?.money.currency, interval, items, coupon, isTrial, taxes: taxed };
  return sha256Hex(canonicalJson(facts)).slice(0, 32);
}
