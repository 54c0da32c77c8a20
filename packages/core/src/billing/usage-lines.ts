import { sql } from "drizzle-orm";
import { formatQuantity, listUsagePrices, type UsagePrice } from "../catalog/index.ts";
import { addMs } from "../clock.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { readUnbilledUsage, type UnbilledUsage, type UsageKey } from "../usage/index.ts";
import type { NewLine } from "./line.ts";

export type UsageLine = NewLine & { readonly usage: UsageKey };

/**
 * Lines for what was used and no invoice asks for yet: one for each meter of a period, and for each price where it was
 * changed within one. What a period includes counts once, however many lines ask for parts of it: a line has what the
 * lines before it left. Also what costs nothing is a line, so that nobody has to guess what was counted.
 */
export async function draftUsageLines(
  tx: Tx,
  subscription: { readonly id: string; readonly timeZone: string },
): Promise<readonly UsageLine[]> {
  return (await readUsageLines(tx, [subscription])).get(subscription.id) ?? [];
}

/** The same of many subscriptions, of any organizations. */
export async function readUsageLines(
  reader: Pick<Tx, "sql">,
  subscriptions: readonly { readonly id: string; readonly timeZone: string }[],
): Promise<ReadonlyMap<string, readonly UsageLine[]>> {
  const unbilled = await readUnbilledUsage(
    reader,
    subscriptions.map(({ id }) => id),
  );
  if (unbilled.size === 0) return new Map();
  const prices = await listUsagePrices(
    reader,
    [...unbilled.values()].flat().map(({ priceId }) => priceId),
  );
  const counted = await countIncluded(reader, [...unbilled.keys()]);
  return new Map(
    subscriptions.flatMap(({ id, timeZone }) => {
      const parts = unbilled.get(id);
      return parts === undefined ? [] : [[id, toLines(parts, prices, new Map(counted.get(id)), timeZone)]];
    }),
  );
}

function toLines(
  unbilled: readonly UnbilledUsage[],
  prices: ReadonlyMap<string, readonly UsagePrice[]>,
  counted: Map<string, bigint>,
  timeZone: string,
): readonly UsageLine[] {
  return unbilled.map((part) => {
    const { meter, priceId, termNumber, periodIndex, quantity, start, end } = part;
    const price = prices.get(priceId)?.find((one) => one.meter === meter);
    assert(price !== undefined, "what was rated has a price");
    const before = counted.get(allowanceKey(part)) ?? 0n;
    const includedQuantity = price.includedQuantity > before ? price.includedQuantity - before : 0n;
    counted.set(allowanceKey(part), before + (quantity < includedQuantity ? quantity : includedQuantity));
    return {
      kind: "usage",
      description: describe(price, part, timeZone),
      quantity,
      includedQuantity,
      unitAmountMinor: price.unitAmountMinor,
      perQuantity: price.perQuantity,
      priceId,
      meter,
      periodStart: start,
      periodEnd: end,
      usage: { meter, priceId, termNumber, periodIndex },
    };
  });
}

type Allowance = Pick<UsageKey, "meter" | "termNumber" | "periodIndex">;

function allowanceKey({ meter, termNumber, periodIndex }: Allowance): string {
  return `${termNumber}:${periodIndex}:${meter}`;
}

/** By subscription, how much of what a period includes was used up by the lines of invoices that stand. */
async function countIncluded(
  reader: Pick<Tx, "sql">,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly (readonly [string, bigint])[]>> {
  const rows = await reader.sql.execute<{
    subscription_id: string;
    meter: string;
    term_number: number;
    period_index: number;
    counted: string;
  }>(sql`
    select i.subscription_id, l.meter, r.term_number, r.period_index, sum(least(l.quantity, l.included_quantity))::text as counted
    from invoices i join invoice_lines l on l.invoice_id = i.id and l.kind = 'usage'
    cross join lateral (
      select term_number, period_index from usage_records where organization_id = l.organization_id and invoice_line_id = l.id limit 1) r
    where i.subscription_id in ${[...subscriptionIds]} and i.status <> 'void'
    group by i.subscription_id, l.meter, r.term_number, r.period_index`);
  const counted = rows.map((row) => {
    const key = { meter: row.meter, termNumber: row.term_number, periodIndex: row.period_index };
    return { subscriptionId: row.subscription_id, entry: [allowanceKey(key), BigInt(row.counted)] as const };
  });
  return new Map(
    [...Map.groupBy(counted, ({ subscriptionId }) => subscriptionId)].map(([id, found]) => [
      id,
      found.map(({ entry }) => entry),
    ]),
  );
}

/** `Processor, 12.5 core-hours of 1-24 June`: days on the wall clock of the subscription. */
function describe(
  { label, unit }: { readonly label: string; readonly unit: string },
  { meter, quantity, start, end }: UnbilledUsage,
  timeZone: string,
): string {
  const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone });
  // Versions of the tables differ in the spaces around the dash.
  const range = days.formatRange(start, addMs(end, -1)).replaceAll(/\s*–\s*/gu, "-");
  return `${label}, ${formatQuantity(quantity, meter)} ${unit} of ${range}`;
}
