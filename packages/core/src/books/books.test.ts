import { connectDatabase } from "@sewa/db";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, dayMs } from "../clock.ts";
import { giveRefund, listInvoices } from "../billing/index.ts";
import { reconcileSubscription } from "../subscriptions/index.ts";
import { givenCustomer } from "../testing/given.ts";
import { givenPayingCustomer } from "../testing/paying.ts";
import { booksChecks, checkBooks } from "./index.ts";

/** A customer whose app was paid by card, of which a part is on its way back; a second customer; and a renewal that is open. */
async function given() {
  const { core, ...app } = await givenPayingCustomer({
    taxes: [
      { name: "PPN", percent: "11", isInclusive: true },
      { name: "Levy", percent: "2.75", isInclusive: false },
    ],
  });
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  await app.provision();
  const [paid] = (await listInvoices(app.ctx, {})).items;
  const refund = { paymentId: paid!.payments[0]!.id, amountMinor: 10_000n, currency: "IDR", target: "origin" } as const;
  const house = core.ctx.forOrganization(app.ctx.organizationId!);
  await giveRefund(house, { ...refund, reason: "An outage.", idempotencyKey: "refund-01" });
  await givenCustomer(core.ctx);
  core.clock.set(addMs(core.clock.now(), 24 * dayMs));
  await reconcileSubscription(core.ctx, app.subscriptionId);
  return core;
}

const copy = (table: string, changes: Readonly<Record<string, string>>): string =>
  `insert into ${table} select (jsonb_populate_record(r, jsonb_build_object(${Object.entries(changes)
    .map(([column, value]) => `'${column}', ${value}`)
    .join(", ")}))).* from ${table} r limit 1`;
const otherOrganization = "(select organization_id from organization_heads where ledger_sequence = 0 limit 1)";

/** What breaks each promise, written by hand where the guards are down. */
const violations: Readonly<Record<string, string>> = {
  M01: "update ledger_entries set amount_minor = amount_minor + 1 where position = 1",
  M02: "update ledger_entries set amount_minor = amount_minor + 1 where position = 1",
  M03: "update ledger_accounts set balance_minor = balance_minor + 1 where kind = 'cash'",
  M04: "update ledger_transactions set sequence = 0 where kind = 'payment_received'",
  M05: "update ledger_entries set currency = 'USD'",
  M06: "update ledger_entries set amount_minor = 0",
  M07: "update ledger_transactions set idempotency_key = 'x'",
  M08: `update ledger_transactions set reverses_id = (select id from ledger_transactions where kind = 'invoice_opened' limit 1) where kind = 'payment_received'`,
  M09: "update invoice_lines set amount_minor = amount_minor + 1",
  M10: "update invoice_lines set quantity = 2",
  M11: "update invoices set paid_minor = 1 where status = 'open'",
  M12: copy("invoices", { id: "gen_random_uuid()", number: "99" }),
  M13: "delete from billing_periods",
  M14: "update billing_periods set period_index = 3",
  M15: copy("billing_periods", {
    id: "gen_random_uuid()",
    period_index: "1",
    starts_at: "r.ends_at + interval '1 hour'",
    ends_at: "r.ends_at + interval '2 hours'",
  }),
  M16: "update invoices set number = number + 1",
  M17: copy("payments", { id: "gen_random_uuid()" }),
  M18: "update payments set amount_minor = amount_minor - 1 where provider = 'sandbox'",
  M24: "update instances set desired_phase = 'absent'",
  M25: "update subscriptions set status = 'expired', expired_at = now(), grace_ends_at = now()",
  M26: "update subscriptions set purged_at = now()",
  M27: "update subscriptions set current_period_start = '2020-01-01', current_period_end = '2020-02-01'",
  M28: `update payments set organization_id = ${otherOrganization}`,
  M29: "update invoices set reason = 'change' where status = 'paid'",
  M30: "update payments set refunded_minor = refunded_minor + 1",
  M31: "update credit_notes set amount_minor = amount_minor + 1",
  M32: "update payment_intents set received_minor = received_minor + 1 where provider = 'sandbox'",
  M33: "update refunds set status = 'succeeded' where status = 'pending'",
  M34: "update credit_notes set tax_minor = tax_minor - 1",
  M35: "update invoices set tax_minor = tax_minor + 1 where status = 'open'",
};

test("healthy books have no finding, and each check finds what breaks its promise", async () => {
  await using core = await given();
  expect(await checkBooks(core.ctx)).toEqual([]);
  expect(Object.keys(violations)).toEqual(booksChecks.map(({ id }) => id));
  await using owner = connectDatabase({ url: core.url, role: "sewa_owner", max: 1 });
  const guards = await owner.drizzle.execute<{ drop: string }>(sql`
    select format('alter table %s drop constraint if exists %I cascade', conrelid::regclass, conname) as drop
      from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'u', 'x') and conrelid <> 0
    union all
    select format('drop index if exists %I', i.indexname) from pg_indexes i where i.schemaname = 'public' and i.indexdef like 'CREATE UNIQUE%'
      and not exists (select 1 from pg_constraint c where c.conname = i.indexname)
    union all
    select distinct format('alter table %I disable trigger user', event_object_table) from information_schema.triggers where trigger_schema = 'public'`);
  const undo = new Error("undo");
  for (const { id, rows } of booksChecks) {
    const attempt = owner.drizzle.transaction(async (transaction) => {
      for (const { drop } of guards) await transaction.execute(drop);
      expect(await transaction.execute(rows(core.clock.now()))).toHaveLength(0);
      await transaction.execute(violations[id]!);
      expect([id, (await transaction.execute(rows(core.clock.now()))).length > 0]).toEqual([id, true]);
      throw undo;
    });
    await expect(attempt).rejects.toBe(undo);
  }
}, 120_000);
