import { sql } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { enqueueMissing } from "../jobs/index.ts";
import { collectable } from "./collections.ts";
import { longestUnansweredMs } from "./intent.ts";

/** What a notice asked for should have been done by then. */
const noticeMs = minuteMs;
/**
 * Of payments that have ended so many are asked about by one sweep, three a second: after an outage their looks come due together, and
 * neither the gateway nor whoever is paying just now is to feel it.
 */
const maxEnded = 200;

/**
 * Finds in the tables whose provider has to be asked, and what else lies undone although its job was lost. Finds only; so a lost
 * notice costs nothing but time. Collections of organizations on a test clock are left out: their time is advanced by hand. Of those
 * that are parked nothing is taken.
 */
export async function sweepPayments(ctx: CoreContext): Promise<{ readonly prompted: number }> {
  const now = ctx.clock.now();
  const at = sql`${now.toISOString()}::timestamptz`;
  const soon = sql`${addMs(now, longestUnansweredMs).toISOString()}::timestamptz`;
  // Where a look is coming anyway its back-off holds, whatever notices say. Those of what has ended may be days away.
  const unapplied = (type: "payment" | "refund", table: "payment_intents" | "refunds") => sql`
    select n.subject_id from payment_notices n where n.applied_at is null and n.subject_type = ${type}
      and n.received_at <= ${addMs(now, -noticeMs).toISOString()}::timestamptz
      and not exists (select 1 from ${sql.identifier(table)} t where t.id = n.subject_id and t.next_look_at > ${at} and t.next_look_at <= ${soon})`;
  const counts = [
    await enqueueMissing(
      ctx,
      "payment:reconcile",
      sql`select id from payment_intents where next_look_at <= ${at} and ended_at is null
        union ${unapplied("payment", "payment_intents")}`,
    ),
    await enqueueMissing(
      ctx,
      "payment:reconcile",
      sql`select id from payment_intents where next_look_at <= ${at} and ended_at is not null`,
      { atMost: maxEnded },
    ),
    await enqueueMissing(
      ctx,
      "refund:reconcile",
      sql`select id from refunds where next_look_at <= ${at} union ${unapplied("refund", "refunds")}`,
    ),
    await enqueueMissing(
      ctx,
      "invoice:collect",
      sql`select d.id from (${collectable}) d where d.due_at <= ${at}
        and not exists (select 1 from test_clocks t where t.organization_id = d.organization_id)`,
    ),
    await enqueueMissing(
      ctx,
      "wallet:topUp",
      sql`select t.organization_id as id from auto_top_ups t
        left join ledger_accounts a on a.organization_id = t.organization_id and a.kind = 'wallet' and a.currency = t.currency
        where t.is_enabled and t.next_attempt_at <= ${at} and coalesce(a.balance_minor, 0) < t.threshold_minor
          and not exists (select 1 from organizations o where o.id = t.organization_id and o.parked_at is not null)`,
    ),
  ];
  return { prompted: counts.reduce((sum, count) => sum + count, 0) };
}
