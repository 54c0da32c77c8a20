import { connectDatabase, databaseErrorOf } from "@sewa/db";
import { expect, test } from "vitest";
import { booksChecks } from "./index.ts";
import { givenTwoCustomers } from "./test-books.ts";

interface Attempt {
  readonly checks: readonly string[];
  readonly statements: readonly string[];
  readonly code: string;
  /** Where the server has no right to try at all, or not for somebody else: what the worker and the owner are told. */
  readonly worker?: string;
  /** Where it is the rights that refuse: what the owner is told. Null: nothing, and the check sees it. */
  readonly owner?: string | null;
}

/** Promises that no constraint can keep: they are about time, about rows that are not there, or about another table. */
const onlySeen = ["M13", "M15", "M21", "M23", "M25", "M27", "M29", "M33", "M34", "M35", "M36", "M37", "M38"];

const transactionId = "00000000-0000-7000-8000-000000000001";

function attemptsOn(it: string, neighbour: string): Readonly<Record<string, Attempt>> {
  const own = `organization_id = '${it}'`;
  const account = (kind: string): string => `(select id from ledger_accounts where kind = '${kind}' and ${own})`;
  const posted = "(select idempotency_key from ledger_transactions where kind = 'invoice_opened' limit 1)";
  const opening = `(select id from ledger_transactions where kind = 'invoice_opened' and ${own} order by sequence limit 1)`;
  const transaction = (key = "'new'", reverses = "null"): string =>
    `insert into ledger_transactions (id, organization_id, sequence, kind, source_type, source_id, idempotency_key, reverses_id, posted_at, digest, chain)
     values ('${transactionId}', '${it}', 900, 'payment_received', 'payment', gen_random_uuid(), ${key}, ${reverses}, now(), repeat('a', 64), repeat('b', 64))`;
  const leg = (position: number, kind: string, amount: number, currency = "IDR", organization = it): string =>
    `insert into ledger_entries (id, organization_id, transaction_id, position, account_id, currency, amount_minor)
     values (gen_random_uuid(), '${organization}', '${transactionId}', ${position}, ${account(kind)}, '${currency}', ${amount})`;
  const copy = (table: string, changes: string, where = own): string =>
    `insert into ${table} select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), ${changes}))).*
     from ${table} r where ${where} limit 1`;
  const nextNumber = "'number', (select max(last_number) + 1 from invoice_counters)";
  return {
    "entries that do not sum to zero": {
      checks: ["M01", "M02"],
      statements: [transaction(), leg(1, "receivable", 5), leg(2, "revenue", -4)],
      code: "23000",
    },
    "a single leg": { checks: ["M01"], statements: [transaction(), leg(1, "receivable", 5)], code: "23000" },
    "a balance that is written and not posted": {
      checks: ["M03"],
      statements: [`update ledger_accounts set balance_minor = 7 where kind = 'cash' and ${own}`],
      code: "42501",
      owner: null,
    },
    "a balance below zero": {
      checks: ["M04"],
      statements: [transaction(), leg(1, "revenue", 990_000), leg(2, "receivable", -990_000)],
      code: "23514",
    },
    "a leg in another currency than its account's": {
      checks: ["M05"],
      statements: [transaction(), leg(1, "receivable", 5, "USD"), leg(2, "revenue", -5, "USD")],
      code: "23503",
    },
    "an entry of nothing": { checks: ["M06"], statements: [transaction(), leg(1, "receivable", 0)], code: "23514" },
    "a key that was posted": {
      checks: ["M07"],
      statements: [transaction(posted.replace("limit", `and ${own} limit`))],
      code: "23505",
    },
    "a reversal of a part": {
      checks: ["M08"],
      statements: [transaction("'new'", opening), leg(1, "receivable", -5), leg(2, "revenue", 5)],
      code: "23000",
    },
    "an entry that is changed afterwards": {
      checks: ["M01", "M03"],
      statements: [`update ledger_entries set amount_minor = amount_minor + 1 where ${own}`],
      code: "42501",
      owner: null,
    },
    "a transaction that is deleted": {
      checks: ["M01", "M03"],
      statements: [`delete from ledger_entries where ${own}`],
      code: "42501",
      owner: null,
    },
    "a line that is added to an open invoice": {
      checks: ["M09"],
      statements: [copy("invoice_lines", "'position', 9")],
      code: "23000",
    },
    "a total that is changed": {
      checks: ["M09"],
      statements: [`update invoices set total_minor = total_minor + 1 where status = 'open' and ${own}`],
      code: "23000",
    },
    "an invoice without lines": {
      checks: ["M09"],
      statements: [copy("invoices", `${nextNumber}, 'term_number', 9`)],
      code: "23000",
    },
    "a line whose amount is not its quantity times its price": {
      checks: ["M10"],
      statements: [copy("invoice_lines", "'position', 9, 'quantity', 2")],
      code: "23514",
    },
    "more paid than was asked for": {
      checks: ["M11"],
      statements: [`update invoices set paid_minor = total_minor + 1 where status = 'open' and ${own}`],
      code: "23514",
    },
    "paid without all of its money": {
      checks: ["M11"],
      statements: [
        `update invoices set status = 'paid', paid_at = now(), paid_minor = 1 where status = 'open' and ${own}`,
      ],
      code: "23514",
    },
    "a period that is asked for twice": { checks: ["M12"], statements: [copy("invoices", nextNumber)], code: "23505" },
    "a period over another one": {
      checks: ["M14"],
      statements: [
        copy(
          "billing_periods",
          "'period_index', 1, 'starts_at', r.ends_at - interval '1 hour', 'ends_at', r.ends_at + interval '9 days'",
        ),
      ],
      code: "23P01",
    },
    "a period that ends before it begins": {
      checks: ["M14"],
      statements: [copy("billing_periods", "'period_index', 1, 'starts_at', r.ends_at, 'ends_at', r.starts_at")],
      code: "23514",
    },
    "a second period of one number": {
      checks: ["M14"],
      statements: [copy("billing_periods", "'starts_at', r.ends_at, 'ends_at', r.ends_at + interval '9 days'")],
      code: "23505",
    },
    "a number that another invoice has": {
      checks: ["M16"],
      statements: [copy("invoices", "'term_number', 9")],
      code: "23505",
    },
    "a number that is taken away from an invoice": {
      checks: ["M16"],
      statements: [`update invoices set number = number + 100 where ${own}`],
      code: "23000",
    },
    "an invoice that is deleted": {
      checks: ["M16"],
      statements: [`delete from invoices where ${own}`],
      code: "42501",
      owner: "23503",
    },
    "a reference that was booked": {
      checks: ["M17"],
      statements: [copy("payments", "'amount_minor', 0, 'refunded_minor', 0")],
      code: "23505",
    },
    "a notice of a provider for a second time": {
      checks: ["M18"],
      statements: ["insert into payment_notices table payment_notices"],
      code: "23505",
    },
    "money that came by a provider and is said not to have come": {
      checks: ["M18", "M32"],
      statements: [`update payment_intents set status = 'failed', received_minor = null where ${own}`],
      code: "23000",
    },
    "another amount than what came by a provider": {
      checks: ["M18", "M32"],
      statements: [`update payment_intents set received_minor = received_minor + 1 where ${own}`],
      code: "23000",
    },
    "more given back than was paid": {
      checks: ["M30"],
      statements: [copy("refunds", "'amount_minor', 900000")],
      code: "23514",
    },
    "given back, as far as a payment says, and no refund of it": {
      checks: ["M30"],
      statements: [`update payments set refunded_minor = refunded_minor + 1 where provider = 'sandbox' and ${own}`],
      code: "42501",
      owner: null,
    },
    "an hour's use that is recorded twice": {
      checks: ["M19"],
      statements: [copy("usage_records", "'invoice_line_id', null")],
      code: "42501",
      worker: "23505",
    },
    "a window of measuring that overlaps another one": {
      checks: ["M20"],
      statements: [copy("usage_samples", "'ended_at', r.ended_at + interval '30 seconds'")],
      code: "42501",
      worker: "23514",
    },
    "use that is billed a second time": {
      checks: ["M22"],
      statements: [`update usage_records set invoice_line_id = null where ${own}`],
      code: "23000",
    },
    "a refund without a credit note": {
      checks: ["M31"],
      statements: [copy("refunds", "'credit_note_id', null")],
      code: "23514",
    },
    "a credit note over more than was paid": {
      checks: ["M31"],
      statements: [copy("credit_notes", "'number', r.number + 1, 'amount_minor', 900000")],
      code: "23514",
    },
    "a credit note that is changed afterwards": {
      checks: ["M31"],
      statements: [`update credit_notes set amount_minor = 1 where ${own}`],
      code: "42501",
      owner: "23000",
    },
    "a second instance of a subscription": {
      checks: ["M24"],
      statements: [copy("instances", "'host', 'other.apps.test'")],
      code: "23505",
    },
    "purged and not cancelled": {
      checks: ["M26"],
      statements: [`update subscriptions set purged_at = now() where ${own}`],
      code: "23514",
    },
    "a payment of somebody else's invoice": {
      checks: ["M28"],
      statements: [copy("payments", `'organization_id', '${neighbour}', 'reference', 'bank 9'`)],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
    "a refund of somebody else's payment": {
      checks: ["M28"],
      statements: [copy("refunds", `'organization_id', '${neighbour}', 'amount_minor', 0`)],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
    "a credit note on somebody else's invoice": {
      checks: ["M28"],
      statements: [
        copy(
          "credit_notes",
          `'organization_id', '${neighbour}', 'number', r.number + 1, 'amount_minor', 1, 'tax_minor', 0`,
        ),
      ],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
    "an instance of somebody else's subscription": {
      checks: ["M28"],
      statements: [copy("instances", `'organization_id', '${neighbour}', 'host', 'other.apps.test'`)],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
    "an invoice for somebody else's subscription": {
      checks: ["M28"],
      statements: [copy("invoices", `'organization_id', '${neighbour}', ${nextNumber}, 'term_number', 9`)],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
    "an entry in somebody else's account": {
      checks: ["M28"],
      statements: [transaction(), leg(1, "receivable", 5, "IDR", neighbour), leg(2, "revenue", -5)],
      code: "42501",
      worker: "23503",
      owner: "42501",
    },
  };
}

test("what would break the books is refused by the database, whoever writes it", async () => {
  const { core, it, neighbour } = await givenTwoCustomers();
  await using _ = core;
  const attempts = Object.entries(attemptsOn(it.organizationId, neighbour.organizationId));
  const undo = new Error("undo");
  for (const role of ["sewa_app", "sewa_worker", "sewa_owner"] as const) {
    await using database = connectDatabase({ url: core.url, role, max: 1 });
    for (const [what, { statements, code, worker, owner }] of attempts) {
      const refused: unknown = await database.drizzle
        .transaction(async (transaction) => {
          await transaction.execute(`set local app.organization_id = '${it.organizationId}'`);
          for (const statement of statements) await transaction.execute(statement);
          // What is looked at when a transaction commits is looked at now.
          await transaction.execute("set constraints all immediate");
          throw undo;
        })
        .catch((error: unknown) => error);
      const own = role === "sewa_app" || worker === undefined ? code : worker;
      const expected = role === "sewa_owner" && owner !== undefined ? owner : own;
      expect([role, what, databaseErrorOf(refused)?.code ?? null]).toEqual([role, what, expected]);
    }
  }
  const tried = new Set(attempts.flatMap(([, { checks }]) => checks));
  expect(booksChecks.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual(onlySeen);
});

test("money is whole numbers of the smallest unit, beside its currency", async () => {
  const { core } = await givenTwoCustomers();
  await using _ = core;
  const columns = await core.database.drizzle.execute<{ column: string; type: string; is_whole: boolean }>(`
    select table_name || '.' || column_name as column, data_type || coalesce('(' || character_maximum_length || ')', '') as type,
      coalesce(numeric_scale, 0) = 0 as is_whole
    from information_schema.columns where table_schema = 'public'`);
  const typesOf = (pattern: RegExp) =>
    new Set(columns.filter(({ column }) => pattern.test(column)).map(({ type }) => type));
  expect(typesOf(/_minor$/)).toEqual(new Set(["bigint"]));
  expect(typesOf(/\.currency$/)).toEqual(new Set(["character(3)"]));
  const inexact = columns
    .filter(({ type, is_whole }) => /real|double|money/.test(type) || !is_whole)
    .map(({ column }) => column);
  expect(
    inexact.filter((column) => /^(ledger|invoice|payment|refund|billing|price|subscription|order)/.test(column)),
  ).toEqual([]);
});
