import { connectDatabase, type Role } from "@sewa/db";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { fillWithDue } from "./fill.ts";
import { openHouse } from "./house.ts";

interface Explained extends Record<string, unknown> {
  readonly "QUERY PLAN": readonly { readonly Plan: Plan }[];
}

interface Plan {
  readonly "Index Name"?: string;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
}

const indexesOf = (plan: Plan): readonly string[] => [
  ...(plan["Index Name"] === undefined ? [] : [plan["Index Name"]]),
  ...(plan.Plans ?? []).flatMap(indexesOf),
];

test("behind the fence the queries of a customer read by the same indexes, and as many pages, as without one", async () => {
  await using house = await openHouse();
  await fillWithDue(house, { subscriptions: 5_000, due: 100, asked: 0 });
  const [row] = await house.database.drizzle.execute<{ own: string; id: string; subscription: string }>(
    "select organization_id as own, id, subscription_id as subscription from instances order by id offset 2500 limit 1",
  );
  const own = `organization_id = '${row!.own}'`;
  await house.database.drizzle.execute(sql`
    insert into organization_heads (organization_id) select id from organizations on conflict do nothing`);
  await house.database.drizzle.execute(sql`
    insert into events (organization_id, sequence, id, type, actor, data, occurred_at)
    select id, n + 1000, gen_random_uuid(), 'instance.ready', 'system:worker', '{}', now() from organizations, generate_series(1, 40) n`);
  const queries = [
    `select * from subscriptions where ${own} order by id desc limit 21`,
    `select * from events where ${own} and sequence > 1010 order by sequence limit 100`,
    `select * from instances where ${own} and id = '${row!.id}'`,
    `select * from instances where ${own} and desired_phase in ('running', 'stopped') order by id desc limit 21`,
    `select * from invoices where ${own} and subscription_id = '${row!.subscription}'`,
  ];
  const plansAs = async (role: Role): Promise<readonly unknown[]> => {
    await using database = connectDatabase({ url: house.url, role, max: 1 });
    return await database.drizzle.transaction(async (transaction) => {
      await transaction.execute(`set local app.organization_id = '${row!.own}'`);
      const plans: unknown[] = [];
      for (const query of queries) {
        // The first time it reads what is the same for all queries, and is in memory then.
        await transaction.execute(`explain analyze ${query}`);
        const [explained] = await transaction.execute<Explained>(
          `explain (analyze, buffers, timing off, format json) ${query}`,
        );
        const plan = explained!["QUERY PLAN"][0]!.Plan;
        const pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
        plans.push({ query, indexes: indexesOf(plan), pages });
      }
      return plans;
    });
  };
  const worker = await plansAs("sewa_worker");
  expect(await plansAs("sewa_app")).toEqual(worker);
  for (const plan of worker) expect(plan).toMatchObject({ indexes: [expect.any(String)] });
}, 120_000);
