import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import type { Interval } from "../periods.ts";
import { perMonth } from "./per-month.ts";
import { isOfTheHouse, moment, readHouse } from "./read-house.ts";
import { amountAt, containedAt, isServedAt } from "./terms-at.ts";

export interface RecurringRevenueInput {
  readonly from: Date;
  /** Now, unless told. Nobody can say it of the future. */
  readonly to?: Date | undefined;
}

/**
 * What subscriptions bring in a month without taxes, in minor units of one currency, and how it came to be so between two moments:
 * `start + new + returned + expansion - contraction - churned = end`, exactly.
 */
export interface RecurringRevenue {
  readonly currency: string;
  readonly startMinor: bigint;
  readonly newMinor: bigint;
  /** Of those that had ended and came back. */
  readonly returnedMinor: bigint;
  readonly expansionMinor: bigint;
  readonly contractionMinor: bigint;
  readonly churnedMinor: bigint;
  readonly endMinor: bigint;
  /** That bring something at the end. */
  readonly subscriptions: number;
}

/** A price, and how much tax it contained. */
interface TermsAt {
  readonly amountMinor: bigint;
  readonly containedBasisPoints: number;
}

/** Subscriptions that went the same way between the two moments. */
export interface TermsGroup {
  readonly currency: string;
  readonly interval: Interval;
  readonly subscriptions: number;
  /** Null: no service ran then. */
  readonly before: TermsAt | null;
  readonly after: TermsAt | null;
  /** It had begun before the first moment. */
  readonly isKnown: boolean;
}

/** By currency, in the order of their codes. */
export async function getRecurringRevenue(
  ctx: CoreContext,
  { from, to = ctx.clock.now() }: RecurringRevenueInput,
): Promise<readonly RecurringRevenue[]> {
  if (to > ctx.clock.now()) throw new DomainError("INVALID_INPUT", "Nobody knows what will be brought in the future.");
  if (from > to) throw new DomainError("INVALID_INPUT", "The end is before the start.");
  const [start, end] = [moment(from), moment(to)];
  const rows = await readHouse(ctx, (reader) =>
    reader.execute<{
      currency: string;
      interval: Interval;
      before: string | null;
      after: string | null;
      contained_before: number;
      contained_after: number;
      is_known: boolean;
      subscriptions: string;
    }>(sql`
      select currency, interval, before, after, contained_before, contained_after, is_known, count(*) as subscriptions from (
        select s.currency, s.interval, s.activated_at <= ${start} as is_known,
          case when ${isServedAt(start)} then ${amountAt(start)} end as before, ${containedAt(start)} as contained_before,
          case when ${isServedAt(end)} then ${amountAt(end)} end as after, ${containedAt(end)} as contained_after
        from subscriptions s where s.activated_at <= ${end} and ${isOfTheHouse(sql`s.organization_id`)}) terms
      where before > 0 or after > 0 group by 1, 2, 3, 4, 5, 6, 7`),
  );
  return deriveMovements(
    rows.map((row) => ({
      currency: row.currency,
      interval: row.interval,
      subscriptions: Number(row.subscriptions),
      before: termsAt(row.before, row.contained_before),
      after: termsAt(row.after, row.contained_after),
      isKnown: row.is_known,
    })),
  );
}

function termsAt(amount: string | null, containedBasisPoints: number): TermsAt | null {
  return amount === null ? null : { amountMinor: BigInt(amount), containedBasisPoints };
}

const nothing = {
  startMinor: 0n,
  newMinor: 0n,
  returnedMinor: 0n,
  expansionMinor: 0n,
  contractionMinor: 0n,
  churnedMinor: 0n,
  endMinor: 0n,
  subscriptions: 0,
};

/** Pure: sorts each group into what it did to the sum. */
export function deriveMovements(groups: readonly TermsGroup[]): readonly RecurringRevenue[] {
  const byCurrency = new Map<string, Omit<RecurringRevenue, "currency">>();
  for (const group of groups) {
    const { currency, interval, subscriptions } = group;
    const times = BigInt(subscriptions);
    const broughtBy = (terms: TermsAt | null): bigint =>
      terms === null ? 0n : perMonth(terms.amountMinor, interval, terms.containedBasisPoints) * times;
    const [before, after] = [broughtBy(group.before), broughtBy(group.after)];
    const sum = byCurrency.get(currency) ?? nothing;
    const movement = movementOf(group, before, after);
    byCurrency.set(currency, {
      ...sum,
      startMinor: sum.startMinor + before,
      endMinor: sum.endMinor + after,
      subscriptions: sum.subscriptions + (after > 0n ? subscriptions : 0),
      [movement]: sum[movement] + (after > before ? after - before : before - after),
    });
  }
  return [...byCurrency]
    .map(([currency, sums]) => ({ currency, ...sums }))
    .toSorted((a, b) => a.currency.localeCompare(b.currency));
}

type Movement = "newMinor" | "returnedMinor" | "expansionMinor" | "contractionMinor" | "churnedMinor";

/** A free app that is paid for from now on expands, and one that becomes free contracts: service never stopped. */
function movementOf(group: TermsGroup, before: bigint, after: bigint): Movement {
  if (group.before === null) return group.isKnown ? "returnedMinor" : "newMinor";
  if (group.after === null) return "churnedMinor";
  return after > before ? "expansionMinor" : "contractionMinor";
}
