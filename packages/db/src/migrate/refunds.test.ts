import { expect, test } from "vitest";
import { migrateFrom } from "./test-history.ts";

/** Two refunds of 2025 and one of 2026, as they stood before there were credit notes. */
const before = `
  set session_replication_role = replica;
  insert into invoices (id, organization_id, subscription_id, status, series, number, reason, term_number, period_index, currency,
    total_minor, paid_minor, customer, paid_at)
  select i::uuid, i::uuid, i::uuid, 'paid', 'ACME-2025', n, 'order', 1, 0, 'IDR', 50000, 50000, '{"name": "Ana"}', now()
  from (values (1, '00000000-0000-7000-8000-000000000001'), (2, '00000000-0000-7000-8000-000000000002'),
    (3, '00000000-0000-7000-8000-000000000003')) v (n, i);
  insert into payments (id, organization_id, invoice_id, provider, status, currency, amount_minor, recorded_by, received_at)
  select id, organization_id, id, 'manual', 'succeeded', 'IDR', 50000, 'system:cli', now() from invoices;
  insert into refunds (id, organization_id, payment_id, currency, amount_minor, reason, refunded_at)
  select id, organization_id, id, 'IDR', 50000, 'Unused.',
    case number when 3 then '2026-01-02'::timestamptz else '2025-12-30'::timestamptz + number * interval '1 hour' end from invoices;`;

test("refunds from before there were credit notes get theirs, numbered by year without gaps", async () => {
  await using opening = new AsyncDisposableStack();
  const sql = await migrateFrom(opening, "_payments.sql", before);

  expect(
    await sql`select c.series, c.number::int, c.amount_minor::int as amount, c.reason, c.customer, i.number::int as invoice
      from refunds r join credit_notes c on c.id = r.credit_note_id join invoices i on i.id = c.invoice_id order by i.number`,
  ).toEqual([
    { series: "ACME-CN-2025", number: 1, amount: 50_000, reason: "Unused.", customer: { name: "Ana" }, invoice: 1 },
    { series: "ACME-CN-2025", number: 2, amount: 50_000, reason: "Unused.", customer: { name: "Ana" }, invoice: 2 },
    { series: "ACME-CN-2026", number: 1, amount: 50_000, reason: "Unused.", customer: { name: "Ana" }, invoice: 3 },
  ]);
  expect(await sql`select series, last_number::int as last from invoice_counters order by series`).toEqual([
    { series: "ACME-CN-2025", last: 2 },
    { series: "ACME-CN-2026", last: 1 },
  ]);
  expect(await sql`select distinct refunded_minor::int as refunded from payments`).toEqual([{ refunded: 50_000 }]);
  expect(await sql`select distinct credited_minor::int as credited from invoices`).toEqual([{ credited: 50_000 }]);
}, 60_000);
