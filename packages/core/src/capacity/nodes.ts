import { nodePools, nodes } from "@sewa/db/schema";
import { and, asc, eq, gt, isNotNull, isNull } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";
import { type Page, type PageInput, pageLimit, readTextCursor, toPage } from "../pages.ts";
import { lockPools, sumPools } from "./record-nodes.ts";
import { deriveRoom, type Demand, type PoolState } from "./capacity.ts";

export type NodeRow = typeof nodes.$inferSelect;
export interface NodePool extends PoolState {
  readonly name: string;
  /** What may still be promised. */
  readonly room: Demand;
}

export async function listNodes(ctx: CoreContext, input: PageInput): Promise<Page<NodeRow>> {
  const limit = pageLimit(input);
  const after = readTextCursor(input.cursor);
  const rows = await ctx.db.drizzle
    .select()
    .from(nodes)
    .where(after === null ? undefined : gt(nodes.name, after))
    .orderBy(asc(nodes.name))
    .limit(limit + 1);
  return toPage(rows, limit, (row) => [row.name]);
}

/** The machines that the cluster has now, all of them. */
export async function listPresentNodes(ctx: CoreContext): Promise<readonly NodeRow[]> {
  return ctx.db.drizzle.select().from(nodes).where(isNull(nodes.removedAt)).orderBy(asc(nodes.name));
}

export async function getNode(ctx: CoreContext, name: string): Promise<NodeRow> {
  const [row] = await ctx.db.drizzle.select().from(nodes).where(eq(nodes.name, name));
  if (row === undefined) throw notFound("node");
  return row;
}

export async function listNodePools(ctx: CoreContext): Promise<readonly NodePool[]> {
  const rows = await ctx.db.drizzle.select().from(nodePools).orderBy(asc(nodePools.name));
  return rows.map((row) => ({ ...row, room: deriveRoom(row) }));
}

/**
 * Says whether new pods may be placed on a machine. A cordoned one counts no more from now on, so that no order is taken
 * for room that is about to go; one that is opened again counts once the cluster says so.
 */
export async function setNodeSchedulable(
  ctx: CoreContext,
  input: { readonly name: string; readonly schedulable: boolean; readonly reason?: string | null },
): Promise<NodeRow> {
  authorize(ctx.actor, "admin.nodes.write");
  return ctx.transaction(async (tx) => {
    await lockPools(tx);
    const [before] = await tx.sql.select().from(nodes).where(eq(nodes.name, input.name)).for("update");
    if (before === undefined || before.removedAt !== null) throw notFound("node");
    const [after] = await tx.sql
      .update(nodes)
      .set({ desiredSchedulable: input.schedulable })
      .where(eq(nodes.name, input.name))
      .returning();
    assert(after !== undefined, "the locked node is still there");
    await sumPools(tx);
    writeOperatorAudit(tx, {
      action: input.schedulable ? "node.uncordoned" : "node.cordoned",
      subject: { type: "node", id: input.name },
      before: { desiredSchedulable: before.desiredSchedulable },
      after: { desiredSchedulable: input.schedulable },
      reason: input.reason ?? null,
    });
    await enqueue(tx, "node:reconcile", {});
    return after;
  });
}

/** What operators have asked for, by machine. The worker compares it with the cluster and makes it so. */
export async function listNodeWishes(ctx: CoreContext): Promise<ReadonlyMap<string, boolean>> {
  const rows = await ctx.db.drizzle
    .select({ name: nodes.name, schedulable: nodes.desiredSchedulable })
    .from(nodes)
    .where(and(isNull(nodes.removedAt), isNotNull(nodes.desiredSchedulable)));
  return new Map(rows.map(({ name, schedulable }) => [name, schedulable === true]));
}
