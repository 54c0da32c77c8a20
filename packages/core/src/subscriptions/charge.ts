import { amountOfLine, type NewLine } from "../billing/index.ts";
import { getPrice, type PricedItem, type PriceIntro } from "../catalog/index.ts";
import { type Discount, discountLine, findLiveRedemption } from "../coupons/index.ts";
import type { Tx } from "../context.ts";
import { nextTermsOf } from "./terms.ts";
import { nextPeriodKey, type SubscriptionRow } from "./subscription.ts";

/** What an invoice over a period asks for. */
export interface Charge {
  readonly lines: readonly NewLine[];
  readonly totalMinor: bigint;
}

/** Which period it is for, as far as that makes a difference. */
export interface ChargedPeriod {
  readonly termNumber: number;
  readonly periodIndex: number;
}

/** The first of all. */
export const firstPeriod: ChargedPeriod = { termNumber: 1, periodIndex: 0 };

/**
 * Its parts, the setup in the first one, and below them what a coupon takes off. `intro` says what is different about the first periods;
 * without it each costs what all cost. Pure: a quote and the invoice that follows it are the same work.
 */
export function deriveCharge(input: {
  readonly planId: string;
  readonly priceId: string;
  readonly items: readonly PricedItem[];
  readonly intro: PriceIntro;
  readonly period: ChargedPeriod;
  readonly discount: Discount | null;
}): Charge {
  const { planId, priceId, intro, period, discount } = input;
  const items = inTrial(intro, period) ? toTrialItems(input.items, intro) : input.items;
  const taken = discount === null ? null : discountLine(discount, planId, items);
  const lines: readonly NewLine[] = [
    ...items.map(({ kind, description, quantity, unitAmountMinor }) => ({
      kind,
      description,
      quantity: BigInt(quantity),
      unitAmountMinor: BigInt(unitAmountMinor),
      // An add-on has a price of its own, which is not a version of the plan's.
      priceId: kind === "addon" ? null : priceId,
    })),
    ...(isFirst(period) && intro.setupMinor > 0n ? [setupLine(intro.setupMinor, priceId)] : []),
    ...(taken === null ? [] : [taken]),
  ];
  return { lines, totalMinor: lines.reduce((sum, line) => sum + amountOfLine(line), 0n) };
}

/** Counted from the first period of all, and only in the first term: what has expired comes back at its price. */
export function inTrial({ trial }: PriceIntro, { termNumber, periodIndex }: ChargedPeriod): boolean {
  return trial !== null && termNumber === firstPeriod.termNumber && periodIndex < trial.periods;
}

function isFirst({ termNumber, periodIndex }: ChargedPeriod): boolean {
  return termNumber === firstPeriod.termNumber && periodIndex === firstPeriod.periodIndex;
}

/** The plan costs less; its choices and add-ons cost what they always do. */
function toTrialItems(items: readonly PricedItem[], { trial }: PriceIntro): readonly PricedItem[] {
  if (trial === null) return items;
  return items.map((item) =>
    item.kind === "plan"
      ? { ...item, description: `${item.description}, trial`, unitAmountMinor: trial.amountMinor.toString() }
      : item,
  );
}

function setupLine(setupMinor: bigint, priceId: string): NewLine {
  return { kind: "setup", description: "Setup", quantity: 1n, unitAmountMinor: setupMinor, priceId };
}

export interface NextCharge extends Charge {
  /** Whose period goes into it; null where no coupon takes anything off. */
  readonly redemptionId: string | null;
}

/** What the next invoice of a locked subscription asks for, if it were opened now. */
export async function findNextCharge(tx: Tx, subscription: SubscriptionRow): Promise<NextCharge> {
  const live = await findLiveRedemption(tx, subscription.id);
  const terms = nextTermsOf(subscription);
  const intro = await findIntro(tx, subscription);
  const period = nextPeriodKey(subscription);
  const charge = deriveCharge({ ...terms, intro, period, discount: live?.discount ?? null });
  const isDiscounted = charge.lines.some(({ kind }) => kind === "discount");
  return { ...charge, redemptionId: isDiscounted ? (live?.redemptionId ?? null) : null };
}

/** Whether what comes next is the first period after a trial. */
export async function endsTrial(tx: Tx, subscription: SubscriptionRow): Promise<boolean> {
  const { termNumber, periodIndex } = nextPeriodKey(subscription);
  if (periodIndex === 0) return false;
  const [intro, before] = [await findIntro(tx, subscription), { termNumber, periodIndex: periodIndex - 1 }];
  return inTrial(intro, before) && !inTrial(intro, { termNumber, periodIndex });
}

/** Of the price of the next period. Another price than the one that was ordered has no trial: that was for this plan. */
async function findIntro(tx: Tx, subscription: SubscriptionRow): Promise<PriceIntro> {
  const { priceId } = nextTermsOf(subscription);
  const { intro } = await getPrice(tx, priceId);
  return subscription.trialPriceId === priceId ? intro : { ...intro, trial: null };
}
