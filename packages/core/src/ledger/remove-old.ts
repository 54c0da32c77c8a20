import { organizationHeads } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { periodAt } from "../periods.ts";
import { findCheckpoint, type Head, signStart } from "./checkpoint.ts";

/**
 * Removes what the bound organization posted longer ago than its books are kept, from the beginning and never out of the
 * middle: signs with what the books go on, and removes what that stands for, in one transaction. What something may still
 * be posted for stays, with everything after it: the opening of an invoice that is open, and what is taken back later
 * than that. Only of books that were just verified. Answers how many transactions went.
 */
export async function removeOldTransactions(ctx: CoreContext): Promise<number> {
  const months = ctx.config.ledgerRetentionMonths;
  if (months === null) return 0;
  return ctx.transaction(async (tx) => {
    const organizationId = organizationOf(tx);
    // What is posted waits, and so does another removal.
    await tx.sql
      .select({ id: organizationHeads.organizationId })
      .from(organizationHeads)
      .where(eq(organizationHeads.organizationId, organizationId))
      .for("update");
    const start = await findCheckpoint(tx.sql, organizationId, "start");
    const before = periodAt(tx.now, "P1M", "UTC", -months).start;
    const end = await findEnd(tx, before, start?.sequence ?? 0);
    if (end === null) return 0;
    await signStart(tx, { ...end, ...(await sumUp(tx, end.sequence, start?.opening ?? {})) });
    const [gone] = await tx.sql.execute<{ count: string }>(sql`select forget_ledger(${organizationId}) as count`);
    return Number(gone?.count);
  });
}

/** The last transaction that may go; null when there is none. */
async function findEnd(tx: Tx, before: Date, after: number): Promise<Head | null> {
  const organizationId = organizationOf(tx);
  const [kept] = await tx.sql.execute<{ sequence: string | null }>(sql`
    select min(t.sequence) as sequence from ledger_transactions t
      left join invoices i on t.kind = 'invoice_opened' and i.id = t.source_id
    where t.organization_id = ${organizationId} and (t.posted_at >= ${before.toISOString()} or i.status = 'open')`);
  let last = kept?.sequence == null ? Number.MAX_SAFE_INTEGER : Number(kept.sequence) - 1;
  for (;;) {
    const [cut] = await tx.sql.execute<{ sequence: string | null }>(sql`
      select min(t.sequence) as sequence from ledger_transactions r join ledger_transactions t on t.id = r.reverses_id
      where r.organization_id = ${organizationId} and r.sequence > ${last} and t.sequence <= ${last}`);
    if (cut?.sequence == null) break;
    last = Number(cut.sequence) - 1;
  }
  const [end] = await tx.sql.execute<{ sequence: string; chain: string }>(sql`
    select sequence, chain from ledger_transactions
    where organization_id = ${organizationId} and sequence <= ${last} order by sequence desc limit 1`);
  if (end === undefined) return null;
  const sequence = Number(end.sequence);
  assert(sequence > after, "what is gone is not there");
  return { sequence, chain: end.chain };
}

async function sumUp(
  tx: Tx,
  last: number,
  opening: Readonly<Record<string, string>>,
): Promise<{ readonly opening: Readonly<Record<string, string>>; readonly openingAt: Date }> {
  const rows = await tx.sql.execute<{ account: string; amount: string; at: string }>(sql`
    select e.account_id as account, sum(e.amount_minor) as amount, max(extract(epoch from t.posted_at) * 1000)::bigint as at
    from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
    where t.organization_id = ${organizationOf(tx)} and t.sequence <= ${last} group by e.account_id`);
  const sums = new Map(Object.entries(opening));
  for (const { account, amount } of rows)
    sums.set(account, (BigInt(sums.get(account) ?? 0) + BigInt(amount)).toString());
  return { opening: Object.fromEntries(sums), openingAt: new Date(Math.max(...rows.map(({ at }) => Number(at)))) };
}
