import { sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { prorate } from "../money.ts";
import { amountOfLine } from "./line.ts";
import { draftUsageLines } from "./usage-lines.ts";

/** What the use of one period costs so far, by meter: on invoices that stand, and not yet on any. */
export async function listUsageCosts(
  tx: Tx,
  subscription: {
    readonly id: string;
    readonly timeZone: string;
    readonly termNumber: number;
    readonly periodIndex: number;
  },
): Promise<ReadonlyMap<string, bigint>> {
  const { id, termNumber, periodIndex } = subscription;
  const billed = await tx.sql.execute<{ meter: string; amount_minor: string }>(sql`
    select l.meter, sum(l.amount_minor)::text as amount_minor
    from invoices i join invoice_lines l on l.invoice_id = i.id and l.kind = 'usage'
    where i.organization_id = ${organizationOf(tx)} and i.subscription_id = ${id} and i.status <> 'void'
      and exists (select 1 from usage_records r where r.organization_id = l.organization_id and r.invoice_line_id = l.id
        and r.term_number = ${termNumber} and r.period_index = ${periodIndex})
    group by l.meter`);
  const costs = new Map(billed.map((row) => [row.meter, BigInt(row.amount_minor)]));
  for (const line of await draftUsageLines(tx, subscription)) {
    const { usage } = line;
    if (usage.termNumber !== termNumber || usage.periodIndex !== periodIndex) continue;
    costs.set(usage.meter, (costs.get(usage.meter) ?? 0n) + amountOfLine(line));
  }
  return costs;
}

/** What of an invoice's total is for use, with its share of the taxes: it was used, whatever becomes of the period beside it. */
export async function usageAmountOf(
  tx: Tx,
  { id, totalMinor }: { readonly id: string; readonly totalMinor: bigint },
): Promise<bigint> {
  const [row] = await tx.sql.execute<{ usage: string; lines: string }>(sql`
    select coalesce(sum(amount_minor) filter (where kind = 'usage'), 0)::text as usage, coalesce(sum(amount_minor), 0)::text as lines
    from invoice_lines where organization_id = ${organizationOf(tx)} and invoice_id = ${id}`);
  const [usage, lines] = [BigInt(row?.usage ?? "0"), BigInt(row?.lines ?? "0")];
  return lines === 0n ? 0n : prorate(totalMinor, usage, lines);
}
