import { auditEntries, events } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { enqueue, jobs } from "../jobs/index.ts";
import { givenCustomer } from "../testing/given.ts";
import { canary, plantedObjects } from "../testing/planted.ts";
import { testCore } from "../testing/test-core.ts";
import { record } from "./index.ts";

const runs = 1_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const perTransaction = 50;

test(`F22 no canary stays in the row of an event or of the audit, nor gets into the payload of a job (${runs} runs)`, async () => {
  await using core = await testCore();
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const batches = fc.array(plantedObjects(), { minLength: perTransaction, maxLength: perTransaction });
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      await ctx.transaction((tx) => {
        for (const data of batch)
          record(tx, { type: "order.placed", orderId: tx.ctx.ids.next(), data, before: data, after: [data] });
        return Promise.resolve();
      });
      for (const planted of batch) {
        const payload = { instanceId: ctx.ids.next(), planted };
        await expect(ctx.transaction((tx) => enqueue(tx, "instance:reconcile", payload))).rejects.toThrow(/planted/);
        for (const { payload: schema } of Object.values(jobs)) expect(schema.safeParse(planted).success).toBe(false);
      }
    }),
    { numRuns: Math.ceil(runs / perTransaction) },
  );
  const told = await core.database.drizzle.select().from(events).where(eq(events.organizationId, organizationId));
  const audited = await core.database.drizzle
    .select()
    .from(auditEntries)
    .where(eq(auditEntries.organizationId, organizationId));
  for (const rows of [told, audited]) {
    expect(rows.length).toBeGreaterThanOrEqual(runs);
    const text = (row: object): string =>
      JSON.stringify(row, (_, item: unknown) => (typeof item === "bigint" ? "" : item));
    expect(rows.find((row) => text(row).includes(canary))).toBeUndefined();
  }
}, 600_000);
