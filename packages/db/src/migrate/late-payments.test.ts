import { expect, test } from "vitest";
import { migrateFrom } from "./test-history.ts";

/** Nobody asked about these any more: one that ended yesterday, one long ago, one the provider never heard of, and one that was paid. */
const before = `
  set session_replication_role = replica;
  insert into payment_intents (id, organization_id, purpose, provider, origin, status, currency, amount_minor, received_minor, expires_at,
    asked_at, looks, next_look_at, started_by, started_at, ended_at)
  select id::uuid, id::uuid, 'top_up', 'sandbox', 'customer', status, 'IDR', 50000, received, now() - ago::interval,
    case when asked then now() - ago::interval end, looks, null, 'system:cli', now() - ago::interval, now() - ago::interval
  from (values
    ('00000000-0000-7000-8000-000000000001', 'expired', null::bigint, '1 day', true, 3),
    ('00000000-0000-7000-8000-000000000002', 'cancelled', null, '1 year', true, 9),
    ('00000000-0000-7000-8000-000000000003', 'cancelled', null, '1 day', false, 0),
    ('00000000-0000-7000-8000-000000000004', 'succeeded', 50000, '1 day', true, 1)
  ) v (id, status, received, ago, asked, looks);`;

test("payments that had ended before they were looked for so long are looked for again within a week, unless nobody was asked or they were paid", async () => {
  await using opening = new AsyncDisposableStack();
  const sql = await migrateFrom(opening, "_look_for_late_payments.sql", before);

  expect(
    await sql`select looks, next_look_at between now() - interval '1 hour' and now() + interval '7 days' as soon
      from payment_intents order by id`,
  ).toEqual([
    { looks: 3, soon: true },
    { looks: 5, soon: true },
    { looks: 0, soon: null },
    { looks: 1, soon: null },
  ]);
}, 60_000);
