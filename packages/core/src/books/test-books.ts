import type { Database } from "@sewa/db";
import { type SQL, sql } from "drizzle-orm";
import { giveRefund, listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { listJobs } from "../jobs/index.ts";
import { reconcileSubscription, recordPayment, sweepSubscriptions } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCustomer, givenOrder } from "../testing/given.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import type { TestCore } from "../testing/test-core.ts";
import { rateUsage, recordUsage } from "../usage/index.ts";

export interface PaidApp {
  /** Acts as the owner. */
  readonly ctx: CoreContext;
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
}

/** Another customer with an app that runs and was paid for by bank. Catalog and machines are there. */
export async function givenPaidApp(core: TestCore, options: { testClock?: boolean } = {}): Promise<PaidApp> {
  const { ctx, organizationId } = await givenCustomer(core.ctx, options);
  const { subscription } = await givenOrder(ctx, { plan: "small" });
  await payOpenInvoices(core, ctx, organizationId);
  await provisionOnce(core.ctx, subscription.instanceId);
  return { ctx, organizationId, subscriptionId: subscription.subscription.id, instanceId: subscription.instanceId };
}

export async function payOpenInvoices(core: TestCore, ctx: CoreContext, organizationId: string): Promise<void> {
  for (const { invoice } of (await listInvoices(ctx, {})).items) {
    if (invoice.status !== "open") continue;
    const { id: invoiceId, totalMinor: amountMinor, currency } = invoice;
    const reference = `bank ${invoiceId}`;
    const payment = { invoiceId, amountMinor, currency, reference, idempotencyKey: reference };
    await recordPayment(core.ctx.forOrganization(organizationId), payment);
  }
}

/** The worker's sweep, and the jobs that it found. */
export async function workOff(core: TestCore): Promise<void> {
  await sweepSubscriptions(core.ctx);
  for (const { task, key } of (await listJobs(core.ctx, {})).items) {
    if (task !== "subscription:reconcile" || key === null) continue;
    await reconcileSubscription(core.ctx, key.slice(`${task}:`.length));
  }
  await core.database.drizzle.execute("delete from graphile_worker._private_jobs");
}

/** A customer whose app was paid by card on the gateway's page. */
export async function givenCardPaidApp(
  options: Parameters<typeof givenPayingCustomer>[0] = {},
): Promise<PaidApp & PayingCustomer> {
  const app = await givenPayingCustomer(options);
  await app.payByCard();
  return { ...app, organizationId: app.ctx.organizationId ?? "" };
}

/** Two taxed customers with a paid app and an open renewal each. `it` paid by card, and a part of that is on its way back. */
export async function givenTwoCustomers(): Promise<{
  readonly core: TestCore;
  readonly it: PaidApp & PayingCustomer;
  readonly neighbour: PaidApp;
}> {
  const it = await givenCardPaidApp({
    usage: `[{ meter: cpu, amount: "500" }]`,
    taxes: [
      { name: "PPN", percent: "11", isInclusive: true },
      { name: "Levy", percent: "2.75", isInclusive: false },
    ],
  });
  const { core, ctx } = it;
  const [order] = (await listInvoices(ctx, {})).items;
  const refund = { paymentId: order?.payments[0]?.id ?? "", amountMinor: 10_000n, currency: "IDR" } as const;
  const why = { target: "origin", reason: "An outage.", idempotencyKey: "refund-01" } as const;
  await giveRefund(core.ctx.forOrganization(it.organizationId), { ...refund, ...why });
  await givenUse(it);
  const neighbour = await givenPaidApp(core);
  core.clock.set(addMs(core.clock.now(), 24 * dayMs));
  for (const { subscriptionId } of [it, neighbour]) await reconcileSubscription(core.ctx, subscriptionId);
  return { core, it, neighbour };
}

/** A minute of its use in one look and one in another, so that the hour has two revisions. */
async function givenUse({ core, instanceId }: PayingCustomer): Promise<void> {
  const from = core.clock.now();
  const workloads = [{ workload: "app", cpuMillis: 400, memoryBytes: 1_000 }];
  core.clock.set(addMs(from, 2 * hourMs));
  for (const minute of [10, 11]) {
    const measuredAt = addMs(from, minute * minuteMs);
    await recordUsage(core.ctx, [{ instanceId, measuredAt, workloads, storageBytes: 1_000 }]);
    await rateUsage(core.ctx);
  }
}

/** Takes down whatever keeps wrong rows out. For the owner's connection. */
export async function takeGuardsDown(owner: Database["drizzle"]): Promise<void> {
  const guards = await owner.execute<{ drop: string }>(sql`
    select format('alter table %s drop constraint if exists %I cascade', conrelid::regclass, conname) as drop
      from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'u', 'x') and conrelid <> 0
        and conrelid::regclass::text not like 'books_%'
    union all
    select format('drop index if exists %I', i.indexname) from pg_indexes i where i.schemaname = 'public'
      and i.tablename not like 'books_%' and i.indexdef like 'CREATE UNIQUE%'
      and not exists (select 1 from pg_constraint c where c.conname = i.indexname)
    union all
    select distinct format('alter table %I disable trigger user', event_object_table) from information_schema.triggers where trigger_schema = 'public'`);
  for (const { drop } of guards) await owner.execute(drop);
}

export interface Violation {
  /** What breaks the promise, where the guards are down. */
  readonly statement: string;
  /** Other ways to break it, which the check has to find as well. */
  readonly others: readonly string[];
  /** Whose books it makes wrong. */
  readonly concerns: "it" | "both" | "nobody";
}

/** By the id of the check that has to find it: what breaks the books of `it`, and leaves those of its neighbour alone. */
export function violationsOf(it: string, neighbour: string): Readonly<Record<string, Violation>> {
  const own = `organization_id = '${it}'`;
  const copy = (table: string, changes: Readonly<Record<string, string>>): string =>
    `insert into ${table} select (jsonb_populate_record(r, jsonb_build_object(${Object.entries(changes)
      .map(([column, value]) => `'${column}', ${value}`)
      .join(", ")}))).* from ${table} r where ${own} limit 1`;
  const books = (statement: string, ...others: readonly string[]): Violation => ({
    statement,
    others,
    concerns: "it",
  });
  const nobody = (statement: string, ...others: readonly string[]): Violation => ({
    ...books(statement, ...others),
    concerns: "nobody",
  });
  const foreign = (table: string): string => `update ${table} set organization_id = '${neighbour}' where ${own}`;
  return {
    M01: books(`update ledger_entries set amount_minor = amount_minor + 1 where position = 1 and ${own}`),
    // Nobody's in itself; but no ledger is wrong as a whole without a transaction that is.
    M02: books(`update ledger_entries set amount_minor = amount_minor + 1 where position = 1 and ${own}`),
    M03: books(`update ledger_accounts set balance_minor = balance_minor + 1 where kind = 'cash' and ${own}`),
    M04: books(`update ledger_transactions set sequence = 0 where kind = 'payment_received' and ${own}`),
    M05: books(`update ledger_entries set currency = 'USD' where ${own}`),
    M06: books(`update ledger_entries set amount_minor = 0 where ${own}`),
    M07: books(`update ledger_transactions set idempotency_key = 'x' where ${own}`),
    M08: books(`update ledger_transactions set reverses_id = (
      select id from ledger_transactions where kind = 'invoice_opened' and ${own} limit 1) where kind = 'payment_received' and ${own}`),
    M09: books(`update invoice_lines set amount_minor = amount_minor + 1 where ${own}`),
    M10: books(`update invoice_lines set quantity = 2 where kind = 'plan' and ${own}`),
    M11: books(`update invoices set paid_minor = 1 where status = 'open' and ${own}`),
    M12: books(copy("invoices", { id: "gen_random_uuid()", number: "(select max(number) + 1 from invoices)" })),
    M13: nobody(`delete from billing_periods where ${own}`, `update billing_periods set term_number = 9 where ${own}`),
    M14: books(`update billing_periods set period_index = 3 where ${own}`),
    M15: books(
      copy("billing_periods", {
        id: "gen_random_uuid()",
        period_index: "1",
        starts_at: "r.ends_at + interval '1 hour'",
        ends_at: "r.ends_at + interval '2 hours'",
      }),
    ),
    M16: nobody(
      `update invoices set number = number + 100 where ${own}`,
      `update credit_notes set number = number + 1 where ${own}`,
    ),
    M17: books(
      copy("payments", { id: "gen_random_uuid()", amount_minor: "0", refunded_minor: "0" }),
      `update ledger_transactions set source_id = gen_random_uuid() where kind = 'payment_received' and ${own}`,
    ),
    M18: books(
      `update payments set amount_minor = amount_minor - 1 where provider = 'sandbox' and ${own}`,
      `alter table payment_notices drop constraint payment_notices_pkey; insert into payment_notices table payment_notices`,
      `update payment_intents set received_minor = null where ${own}`,
      `update payments set surplus_minor = 7 where ${own}`,
    ),
    M19: books(`update usage_records set revision = 3 where revision = 2 and ${own}`),
    M20: books(`update usage_samples set ended_at = ended_at + interval '2 minutes' where ${own}`),
    M21: books(`update usage_hours set cpu_milli_seconds = cpu_milli_seconds + 1 where ${own}`),
    M22: books(`update usage_records set invoice_line_id = null where ${own}`),
    M23: books(`update usage_records set quantity = quantity * 100 where meter = 'cpu' and ${own}`),
    M24: nobody(
      `update instances set desired_phase = 'absent' where ${own}`,
      `update subscriptions set status = 'cancelled', purged_at = now() where ${own}`,
    ),
    M25: nobody(`update subscriptions set status = 'expired', expired_at = now(), grace_ends_at = now() where ${own}`),
    M26: nobody(
      `update subscriptions set purged_at = now() where ${own}`,
      `update subscriptions set cancel_reason = 'grace_over', cancelled_at = now(), grace_ends_at = now() + interval '1 day' where ${own}`,
    ),
    M27: nobody(
      `update subscriptions set current_period_start = '2020-01-01', current_period_end = '2020-02-01' where ${own}`,
    ),
    M28: {
      ...books(
        foreign("payments"),
        ...["instances", "invoices", "payment_intents", "refunds", "credit_notes"].map(foreign),
        ...["ledger_accounts", "ledger_transactions"].map(foreign),
      ),
      concerns: "both",
    },
    M29: books(
      `update invoices set reason = 'change' where status = 'paid' and ${own}`,
      `insert into instance_changes (id, organization_id, instance_id, subscription_id, kind, status, request, shape_before, currency,
         amount_before_minor, amount_after_minor, due_minor, facts_hash, reason, invoice_id, requested_by, planned_at, expires_at, deadline_at, ended_at)
       select gen_random_uuid(), v.organization_id, i.id, v.subscription_id, 'resize', 'failed', '{}', '{}', v.currency,
         0, 1, v.total_minor, 'x', 'OPERATION_FAILED', v.id, 'system:worker', now(), now(), now(), now()
       from invoices v join instances i using (subscription_id) where v.status = 'paid' and v.${own}`,
    ),
    M30: books(`update payments set refunded_minor = refunded_minor + 1 where ${own}`),
    M31: books(
      `update credit_notes set amount_minor = amount_minor + 1 where ${own}`,
      `update refunds set credit_note_id = null where ${own}`,
      `update invoices set credited_minor = 0 where ${own}`,
    ),
    M32: books(`update payment_intents set received_minor = received_minor + 1 where provider = 'sandbox' and ${own}`),
    M33: books(`update refunds set status = 'succeeded' where status = 'pending' and ${own}`),
    M34: books(`update credit_notes set tax_minor = tax_minor - 1 where ${own}`),
    M35: books(`update invoices set tax_minor = tax_minor + 1 where status = 'open' and ${own}`),
    M36: nobody(
      "insert into coupons (id, code, kind, basis_points, redeemed, created_by) values (gen_random_uuid(), 'HALF', 'percent', 5000, 1, 'x')",
    ),
    M37: books(
      `update invoice_lines set kind = 'discount', amount_minor = -amount_minor where kind = 'plan' and ${own}`,
    ),
    M38: books(
      `update instances set addons = '{"extra-storage": 1}' where ${own}`,
      `update subscriptions set items = items || '[{ "kind": "addon", "description": "Extra storage", "quantity": 2,
         "unitAmountMinor": "0", "addon": { "slug": "extra-storage", "priceId": "any" } }]' where ${own}`,
    ),
  };
}

/** As a whole, at the time of the test. */
export function everywhere(core: TestCore): { readonly now: Date; readonly within: () => SQL } {
  return { now: core.clock.now(), within: () => sql`true` };
}
