import { connectAsSuperuser } from "@sewa/db/testing";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { anyOf } from "./ask-books.ts";
import { booksChecks, checkBooks } from "./index.ts";
import { everywhere, givenTwoCustomers, takeGuardsDown, violationsOf } from "./test-books.ts";

test("healthy books have no finding, and each check finds what breaks its promise", { timeout: 120_000 }, async () => {
  const { core, it, neighbour } = await givenTwoCustomers();
  await using _ = core;
  expect(await checkBooks(core.ctx)).toEqual([]);
  const violations = violationsOf(it.organizationId, neighbour.organizationId);
  expect(Object.keys(violations)).toEqual(booksChecks.map(({ id }) => id));
  await using owner = connectAsSuperuser(core.url);
  const undo = new Error("undo");
  for (const { id, rows } of booksChecks) {
    const { statement, others } = violations[id]!;
    for (const violation of [statement, ...others]) {
      const attempt = owner.drizzle.transaction(async (transaction) => {
        await takeGuardsDown(transaction);
        const broken = () => transaction.execute(rows(everywhere(core)));
        expect(await broken()).toHaveLength(0);
        await transaction.execute(violation);
        expect([id, violation, (await broken()).length > 0]).toEqual([id, violation, true]);
        throw undo;
      });
      await expect(attempt).rejects.toBe(undo);
    }
  }
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** One row for the house, and one for each organization on a test clock. */
const small = new Set(["test_clocks"]);

test("what is asked about a few organizations goes along indexes, and reads no table of customers whole", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  const within = (column: Parameters<typeof sql.join>[0][number]) => sql`${column} = ${anyOf([it.organizationId])}`;
  const scope = { now: core.clock.now(), within };
  await core.database.drizzle.transaction(async (transaction) => {
    // Tables of a test are so small that reading them whole is cheapest. This asks whether there is another way.
    for (const way of ["seqscan", "hashjoin", "mergejoin"]) await transaction.execute(`set local enable_${way} = off`);
    for (const { id, rows } of booksChecks.filter(({ by }) => by === "change")) {
      const [row] = await transaction.execute<Record<string, [{ Plan: PlanNode }]>>(
        sql`explain (format json) ${rows(scope)}`,
      );
      const nodes = nodesOf(row!["QUERY PLAN"]![0].Plan);
      const whole = nodes.filter(
        (node) =>
          node["Relation Name"] !== undefined &&
          !small.has(node["Relation Name"]) &&
          node["Node Type"] !== "Bitmap Heap Scan" &&
          node["Index Cond"] === undefined,
      );
      expect([id, whole.map((node) => node["Relation Name"])]).toEqual([id, []]);
    }
  });
});
