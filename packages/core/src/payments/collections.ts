import { invoiceCollections } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { notifyOwner } from "../notifications/index.ts";
import { mailFacts, type LoadedSubscription } from "../subscriptions/index.ts";
import type { IntentRow } from "./intent.ts";

export type CollectionRow = typeof invoiceCollections.$inferSelect;

/** Days after the first time at which a card that refused is charged again, and then no more. */
const retryDays = [1, 3, 5] as const;

/** How far it has come; begun by whoever asks first. */
export async function ensureCollection(tx: Tx, invoiceId: string): Promise<CollectionRow> {
  await tx.sql
    .insert(invoiceCollections)
    .values({ invoiceId, organizationId: organizationOf(tx), startedAt: tx.now, nextAttemptAt: tx.now })
    .onConflictDoNothing();
  const [row] = await tx.sql.select().from(invoiceCollections).where(ownCollection(tx, invoiceId));
  assert(row !== undefined, "a collection that was begun is there");
  return row;
}

export async function updateCollection(
  tx: Tx,
  invoiceId: string,
  values: Partial<Pick<CollectionRow, "attempts" | "nextAttemptAt" | "lastFailure">>,
): Promise<void> {
  await tx.sql.update(invoiceCollections).set(values).where(ownCollection(tx, invoiceId));
}

/** The card was not charged: says when it is tried again, and tells the customer. The subscription is left alone. */
export async function noteFailedCollection(
  tx: Tx,
  subscription: LoadedSubscription["subscription"],
  { id, invoiceId, amountMinor, currency, cancelRequestedAt }: IntentRow,
  failure: string,
): Promise<void> {
  assert(invoiceId !== null, "what is collected is an invoice");
  const { attempts, startedAt } = await ensureCollection(tx, invoiceId);
  const days = retryDays[attempts - 1];
  const nextAttemptAt = days === undefined ? null : addMs(startedAt, days * dayMs);
  await updateCollection(tx, invoiceId, { nextAttemptAt, lastFailure: failure });
  // Whoever called it off knows.
  if (cancelRequestedAt !== null) return;
  await notifyOwner(tx, {
    kind: "payment_failed",
    dedupeKey: `payment_failed:${id}`,
    data: {
      ...(await mailFacts(tx, subscription)),
      amountMinor: amountMinor.toString(),
      currency,
      nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    },
  });
}

/**
 * Renewals, and what was used before a cancellation, whose money can be taken now or later: open, nothing under way, a card or a
 * wallet to take it from, and not of an organization that is parked. What is in the wallet is taken at once, whatever became of the
 * card; `charges_at` is when that may be charged, or null when it will not be any more. `sql` for the sweep, for test clocks, which judge
 * by another time, and for what is foretold.
 */
export const collectable = sql`
  select i.id, i.organization_id,
    case when c.invoice_id is null or paid_ahead.is_there then i.opened_at else c.next_attempt_at end as due_at,
    case when c.invoice_id is null then i.opened_at else c.next_attempt_at end as charges_at
  from invoices i left join invoice_collections c on c.invoice_id = i.id
    cross join lateral (select exists (select 1 from ledger_accounts a where a.organization_id = i.organization_id and a.kind = 'wallet'
      and a.currency = i.currency and a.balance_minor > 0) as is_there) paid_ahead
  where i.status = 'open' and i.reason in ('renewal', 'usage') and i.total_minor > i.paid_minor and i.live_intent_id is null
    and not exists (select 1 from organizations o where o.id = i.organization_id and o.parked_at is not null)
    and (c.invoice_id is null or paid_ahead.is_there or (c.next_attempt_at is not null and exists (
      select 1 from payment_methods m where m.organization_id = i.organization_id and m.is_automatic)))`;

/** Of the organization, those that are due by `at`, the earliest first. */
export async function listDueCollections(
  tx: Tx,
  at: Date,
): Promise<readonly { readonly invoiceId: string; readonly dueAt: Date }[]> {
  const rows = await tx.sql.execute<{ id: string; due_ms: string }>(sql`
    select d.id, floor(extract(epoch from d.due_at) * 1000)::text as due_ms from (${collectable}) d
    where d.organization_id = ${organizationOf(tx)} and d.due_at <= ${at.toISOString()}::timestamptz order by d.due_at limit 1000`);
  return rows.map(({ id, due_ms: dueMs }) => ({ invoiceId: id, dueAt: new Date(Number(dueMs)) }));
}

function ownCollection(tx: Tx, invoiceId: string) {
  return and(eq(invoiceCollections.organizationId, organizationOf(tx)), eq(invoiceCollections.invoiceId, invoiceId));
}
