import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { migrateFrom } from "./test-history.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Three entries in two organizations and two of the house, as they stood before there were chains. */
const before = `
  insert into organizations (id, name, time_zone) select i::uuid, 'Shop', 'UTC'
  from (values ('00000000-0000-7000-8000-000000000001'), ('00000000-0000-7000-8000-000000000002')) v (i);
  insert into organization_heads (organization_id) select id from organizations;
  insert into audit_entries (id, organization_id, action, actor, after, occurred_at)
  select ('00000000-0000-7000-8000-00000000010' || n)::uuid, ('00000000-0000-7000-8000-00000000000' || o)::uuid, 'order.placed',
    'system:worker', '{"b": [1.50, "ü"], "a": null}', now()
  from (values (3, 1), (1, 1), (2, 2)) v (n, o);
  insert into operator_audit_entries (id, action, actor) select gen_random_uuid(), 'node.cordoned', 'system:cli' from generate_series(1, 2);`;

test("entries from before there were chains are chained in their order, each with all that it said", async () => {
  await using opening = new AsyncDisposableStack();
  const sql = await migrateFrom(opening, "_keys_and_audit_chain.sql", before);

  const rows =
    await sql`select right(id::text, 1) as name, right(organization_id::text, 1) as organization, sequence::int, after,
    digest, chain from audit_entries order by organization_id, sequence`;
  const after = { a: null, b: [1.5, "ü"] };
  const links = rows.map(({ name, organization, sequence }) => [name, organization, sequence] as unknown);
  expect(links).toEqual([
    ["1", "1", 1],
    ["3", "1", 2],
    ["2", "2", 1],
  ]);
  expect(rows).toMatchObject([{ after }, { after }, { after }]);
  expect(rows[1]!["chain"]).toBe(sha256(sha256(String(rows[0]!["digest"])) + String(rows[1]!["digest"])));
  expect(
    await sql`select audit_sequence::int as sequence, audit_chain as chain from organization_heads order by organization_id`,
  ).toEqual(
    [rows[1], rows[2]].map((row) => ({ sequence: row!["sequence"] as unknown, chain: row!["chain"] as unknown })),
  );
  const house =
    await sql`select e.sequence::int, e.chain = h.audit_chain as is_last from operator_audit_entries e, house_head h order by 1`;
  expect(house).toEqual([
    { sequence: 1, is_last: false },
    { sequence: 2, is_last: true },
  ]);
}, 60_000);
