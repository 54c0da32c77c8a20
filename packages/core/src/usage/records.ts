import { invoiceLines, usageRecords } from "@sewa/db/schema";
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";

/** What is charged together: one meter in one period at one price. */
export interface UsageKey {
  readonly meter: string;
  readonly priceId: string;
  readonly termNumber: number;
  readonly periodIndex: number;
}

export interface UnbilledUsage extends UsageKey {
  readonly quantity: bigint;
  /** From the first hour to the end of the last one. */
  readonly start: Date;
  readonly end: Date;
}

/**
 * What no invoice asks for yet, by subscription and of any organizations, the oldest period first. The same until the end of a
 * transaction that has locked the subscriptions.
 */
export async function readUnbilledUsage(
  reader: Pick<Tx, "sql">,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly UnbilledUsage[]>> {
  if (subscriptionIds.length === 0) return new Map();
  const rows = await reader.sql.execute<{
    subscription_id: string;
    meter: string;
    price_id: string;
    term_number: number;
    period_index: number;
    quantity: string;
    start_ms: string;
    end_ms: string;
  }>(sql`
    select subscription_id, meter, price_id, term_number, period_index, sum(quantity)::text as quantity,
      (extract(epoch from min(hour_at)) * 1000)::bigint::text as start_ms,
      (extract(epoch from max(hour_at) + interval '1 hour') * 1000)::bigint::text as end_ms
    from usage_records
    where subscription_id in ${[...subscriptionIds]} and invoice_line_id is null
    group by subscription_id, meter, price_id, term_number, period_index
    order by term_number, period_index, meter, min(hour_at), price_id`);
  return Map.groupBy(
    rows.map((row) => ({
      subscriptionId: row.subscription_id,
      meter: row.meter,
      priceId: row.price_id,
      termNumber: row.term_number,
      periodIndex: row.period_index,
      quantity: BigInt(row.quantity),
      start: new Date(Number(row.start_ms)),
      end: new Date(Number(row.end_ms)),
    })),
    ({ subscriptionId }) => subscriptionId,
  );
}

/** From now on this line asks for it. The caller has locked the subscription since it was listed. */
export async function billUsage(
  tx: Tx,
  input: {
    readonly subscriptionId: string;
    readonly lineId: string;
    readonly usage: UsageKey;
    readonly quantity: bigint;
  },
): Promise<void> {
  const { subscriptionId, lineId, usage, quantity } = input;
  const billed = await tx.sql
    .update(usageRecords)
    .set({ invoiceLineId: lineId })
    .where(
      and(
        eq(usageRecords.organizationId, organizationOf(tx)),
        eq(usageRecords.subscriptionId, subscriptionId),
        isNull(usageRecords.invoiceLineId),
        eq(usageRecords.meter, usage.meter),
        eq(usageRecords.priceId, usage.priceId),
        eq(usageRecords.termNumber, usage.termNumber),
        eq(usageRecords.periodIndex, usage.periodIndex),
      ),
    )
    .returning({ quantity: usageRecords.quantity });
  const total = billed.reduce((sum, row) => sum + row.quantity, 0n);
  assert(total === quantity, "a line of usage says what its records say");
}

/** The invoice was voided: the next one asks for what was used. */
export async function releaseUsage(tx: Tx, invoiceId: string): Promise<void> {
  const organizationId = organizationOf(tx);
  const lines = tx.sql
    .select({ id: invoiceLines.id })
    .from(invoiceLines)
    .where(
      and(
        eq(invoiceLines.organizationId, organizationId),
        eq(invoiceLines.invoiceId, invoiceId),
        eq(invoiceLines.kind, "usage"),
      ),
    );
  await tx.sql
    .update(usageRecords)
    .set({ invoiceLineId: null })
    .where(and(eq(usageRecords.organizationId, organizationId), inArray(usageRecords.invoiceLineId, lines)));
}

/** Whether use of it has ever had a price. */
export async function isChargedByUse(tx: Tx, subscriptionId: string): Promise<boolean> {
  const rows = await tx.sql.execute(sql`
    select 1 from usage_terms t join usage_prices p on p.price_id = t.price_id
    where t.organization_id = ${organizationOf(tx)} and t.subscription_id = ${subscriptionId} limit 1`);
  return rows.length > 0;
}

/** Of the organization, whose apps are not all gone. */
export async function hasAppsChargedByUse(tx: Tx): Promise<boolean> {
  const rows = await tx.sql.execute(sql`
    select 1 from instances i join usage_terms t on t.subscription_id = i.subscription_id
      join usage_prices p on p.price_id = t.price_id
    where i.organization_id = ${organizationOf(tx)} and i.removed_at is null limit 1`);
  return rows.length > 0;
}
