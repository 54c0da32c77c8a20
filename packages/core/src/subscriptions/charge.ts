import { amountOfLine, type NewLine, readUsageLines, totalOfLines, type UsageLine } from "../billing/index.ts";
import { type PricedItem, type PriceIntro, readIntros } from "../catalog/index.ts";
import { type Discount, discountLine, type LiveRedemption, readLiveRedemptions } from "../coupons/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
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
  /** It is for the first period after a trial. */
  readonly endsTrial: boolean;
}

/** What a next invoice depends on beside its subscription. */
export interface ChargeFacts {
  /** Of the price of the next period. */
  readonly intro: PriceIntro;
  /** A coupon with periods left. */
  readonly live: LiveRedemption | null;
  /** What was used and no invoice asks for. */
  readonly usage: readonly UsageLine[];
}

/** What the next invoice of a locked subscription asks for, if it were opened now. */
export async function findNextCharge(tx: Tx, subscription: SubscriptionRow): Promise<NextCharge> {
  const facts = (await readChargeFacts(tx, [subscription])).get(subscription.id);
  assert(facts !== undefined, "what was asked for was read");
  return deriveNextCharge(subscription, facts);
}

/** By subscription, of any organizations. */
export async function readChargeFacts(
  reader: Pick<Tx, "sql">,
  subscriptions: readonly SubscriptionRow[],
): Promise<ReadonlyMap<string, ChargeFacts>> {
  const intros = await readIntros(
    reader,
    subscriptions.map((subscription) => nextTermsOf(subscription).priceId),
  );
  const live = await readLiveRedemptions(
    reader,
    subscriptions.map(({ id }) => id),
  );
  const usage = await readUsageLines(reader, subscriptions);
  return new Map(
    subscriptions.map((subscription) => {
      const { id } = subscription;
      const intro = introOf(subscription, intros);
      return [id, { intro, live: live.get(id) ?? null, usage: usage.get(id) ?? [] }];
    }),
  );
}

/** The next period, and what was used and not asked for yet. Pure: what is foretold and what is booked are the same work. */
export function deriveNextCharge(subscription: SubscriptionRow, { intro, live, usage }: ChargeFacts): NextCharge {
  const terms = nextTermsOf(subscription);
  const period = nextPeriodKey(subscription);
  const { lines, totalMinor } = deriveCharge({ ...terms, intro, period, discount: live?.discount ?? null });
  const isDiscounted = lines.some(({ kind }) => kind === "discount");
  return {
    lines: [...lines, ...usage],
    totalMinor: totalMinor + totalOfLines(usage),
    redemptionId: isDiscounted ? (live?.redemptionId ?? null) : null,
    endsTrial: endsTrial(intro, period),
  };
}

function endsTrial(intro: PriceIntro, period: ChargedPeriod): boolean {
  const before = { ...period, periodIndex: period.periodIndex - 1 };
  return period.periodIndex > 0 && inTrial(intro, before) && !inTrial(intro, period);
}

/** What is left for the invoice after that one. Pure. */
export function afterCharge({ intro, live }: ChargeFacts, { redemptionId }: NextCharge): ChargeFacts {
  if (live === null || redemptionId === null || live.periodsLeft === null) return { intro, live, usage: [] };
  const periodsLeft = live.periodsLeft - 1;
  return { intro, live: periodsLeft === 0 ? null : { ...live, periodsLeft }, usage: [] };
}

/** Of the price of the next period. Another price than the one that was ordered has no trial: that was for this plan. */
function introOf(subscription: SubscriptionRow, intros: ReadonlyMap<string, PriceIntro>): PriceIntro {
  const { priceId } = nextTermsOf(subscription);
  const intro = intros.get(priceId);
  assert(intro !== undefined, "prices are never deleted");
  return subscription.trialPriceId === priceId ? intro : { ...intro, trial: null };
}

/**
 * Who rents what costs something goes on by himself when a trial or a coupon leaves nothing of it: such a renewal is paid as it is opened.
 * Who rents for nothing says so each time.
 */
export function goesOnByItself(subscription: SubscriptionRow, totalMinor: bigint): boolean {
  return totalMinor === 0n && nextTermsOf(subscription).amountMinor > 0n;
}
