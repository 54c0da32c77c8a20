import { auditEntries, events } from "@sewa/db/schema";
import { asc } from "drizzle-orm";
import { expect, test } from "vitest";
import { givenCustomer } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { listEventsAfter, organizationChannel, readEventBounds, record } from "./index.ts";

test("numbers are gapless under concurrency, and a rolled-back transaction leaves no gap", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const write = (index: number) =>
    ctx.transaction(async (tx) => {
      record(tx, { type: "instance.ready", data: { index } });
      record(tx, { type: "instance.stopped", data: { index } });
      await tx.sql.execute("select 1");
      if (index % 3 === 0) throw new Error("rolled back");
    });

  await Promise.allSettled(Array.from({ length: 30 }, (_, index) => write(index)));

  const rows = await listEventsAfter(ctx, { sequence: 0, limit: 1_000 });
  expect(rows.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(await readEventBounds(ctx)).toEqual({ head: 40, oldest: 1 });
  expect(core.observed).toHaveLength(40);
});

test("P16 one transaction notifies its organization once, after commit, with nothing but its id, however much there is to tell", async () => {
  await using core = await testCore();
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const heard: string[] = [];
  let wake = (): void => undefined;
  const first = new Promise<void>((resolve) => (wake = resolve));
  const listening = await core.database.listen(organizationChannel, (payload) => {
    heard.push(payload);
    if (payload === "end") wake();
  });

  await ctx.transaction(async (tx) => {
    // PostgreSQL refuses payloads of 8,000 bytes.
    for (let count = 0; count < 20; count += 1)
      record(tx, { type: "instance.ready", data: { text: "x".repeat(9_000) } });
  });
  await core.database.drizzle.execute(`select pg_notify('${organizationChannel}', 'end')`);
  await first;

  expect(heard).toEqual([organizationId, "end"]);
  await listening.close();
});

test("events cannot be changed or deleted by the processes, and what is audited has its row", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  await ctx.transaction(async (tx) => record(tx, { type: "order.placed", orderId: ctx.ids.next() }));
  await expect(core.database.drizzle.delete(events)).rejects.toMatchObject({ cause: { code: "42501" } });
  await expect(core.database.drizzle.update(events).set({ type: "x" })).rejects.toMatchObject({
    cause: { code: "42501" },
  });
  const audit = await core.database.drizzle.select().from(auditEntries).orderBy(asc(auditEntries.id));
  expect(audit).toMatchObject([
    { action: "order.placed", subjectType: "order", actor: expect.stringMatching(/^user:/) },
  ]);
});
