import { inventoryAudits, inventoryFindings, workerPools } from "@sewa/db/schema";
import { and, desc, eq, lt, or, sql } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { writeOperatorAudit } from "../audit/index.ts";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { enqueue, poolSilenceSeconds } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";

export type InventoryAuditRow = typeof inventoryAudits.$inferSelect;

/** An audit that takes longer has lost its worker. */
export const longestAuditMs = 10 * minuteMs;
/** There are a hundred and more a day. */
const auditsKeptMs = 30 * dayMs;
/** As long as the operators' audit tells what was done about them. */
const findingsKeptMs = 400 * dayMs;

/** Asks for an audit. One waits at most: who asks meanwhile is told of that one. */
export async function requestAudit(ctx: CoreContext): Promise<InventoryAuditRow> {
  authorize(ctx.actor, "admin.inventory.audit");
  return ctx.transaction(async (tx) => {
    await insertQueued(tx);
    const [audit] = await tx.sql.select().from(inventoryAudits).where(eq(inventoryAudits.status, "queued"));
    // Whoever begins audits has taken it in this moment; it will see all that this request could mean.
    const asked = audit ?? (await findNewest(tx));
    assert(asked !== null, "an audit that was asked for is there");
    await enqueue(tx, "inventory:audit", {});
    writeOperatorAudit(tx, { action: "inventory.auditRequested", subject: { type: "audit", id: asked.id } });
    return asked;
  });
}

/**
 * Takes the audit that waits, or opens one for the clock's sake. Null while another one runs: one at a time, whichever
 * worker makes it. One whose worker died is closed as failed.
 */
export async function beginAudit(ctx: CoreContext, holder: string): Promise<InventoryAuditRow | null> {
  return ctx.transaction(async (tx) => {
    const now = ctx.clock.now();
    await closeLostAudits(tx, now);
    if ((await countRunning(tx)) > 0) return null;
    await insertQueued(tx);
    // Two may have come so far; the first has the row, and the second finds none that waits.
    if ((await countRunning(tx)) > 0) return null;
    const [audit] = await tx.sql
      .update(inventoryAudits)
      .set({ status: "running", holder, startedAt: now })
      .where(eq(inventoryAudits.status, "queued"))
      .returning();
    return audit ?? null;
  });
}

export interface AuditCounts {
  readonly isWhole: boolean;
  readonly unread: readonly string[];
  readonly objects: number;
  readonly instances: number;
  readonly unjudged: number;
  readonly findings: number;
  readonly resolved: number;
  readonly repaired: number;
  readonly deleted: number;
}

export async function finishAudit(ctx: CoreContext, auditId: string, counts: AuditCounts): Promise<InventoryAuditRow> {
  const [audit] = await ctx.db.drizzle
    .update(inventoryAudits)
    .set({ ...counts, status: "finished", finishedAt: ctx.clock.now() })
    .where(and(eq(inventoryAudits.id, auditId), eq(inventoryAudits.status, "running")))
    .returning();
  assert(audit !== undefined, "an audit is finished by who runs it");
  return audit;
}

export async function failAudit(ctx: CoreContext, auditId: string): Promise<void> {
  await ctx.db.drizzle
    .update(inventoryAudits)
    .set({ status: "failed", finishedAt: ctx.clock.now() })
    .where(and(eq(inventoryAudits.id, auditId), eq(inventoryAudits.status, "running")));
}

export async function getAudit(ctx: CoreContext, auditId: string): Promise<InventoryAuditRow> {
  authorize(ctx.actor, "admin.inventory.read");
  const [audit] = await ctx.db.drizzle.select().from(inventoryAudits).where(eq(inventoryAudits.id, auditId));
  if (audit === undefined) throw notFound("audit");
  return audit;
}

/** Null before the first one has finished. */
export async function findFinishedAudit(ctx: CoreContext): Promise<InventoryAuditRow | null> {
  authorize(ctx.actor, "admin.inventory.read");
  const [audit] = await ctx.db.drizzle
    .select()
    .from(inventoryAudits)
    .where(eq(inventoryAudits.status, "finished"))
    .orderBy(desc(inventoryAudits.finishedAt))
    .limit(1);
  return audit ?? null;
}

/** For the clean-up job. What still stands is kept, however old it is. */
export async function deleteOldInventory(
  ctx: CoreContext,
): Promise<{ readonly audits: number; readonly findings: number }> {
  const now = ctx.clock.now();
  const audits = await ctx.db.drizzle
    .delete(inventoryAudits)
    .where(lt(inventoryAudits.finishedAt, addMs(now, -auditsKeptMs)));
  const findings = await ctx.db.drizzle
    .delete(inventoryFindings)
    .where(lt(inventoryFindings.resolvedAt, addMs(now, -findingsKeptMs)));
  return { audits: audits.count, findings: findings.count };
}

async function insertQueued(tx: Tx): Promise<void> {
  const { ctx } = tx;
  await tx.sql
    .insert(inventoryAudits)
    .values({ id: ctx.ids.next(), status: "queued", requestedBy: formatActor(ctx.actor), requestedAt: ctx.clock.now() })
    .onConflictDoNothing();
}

async function countRunning(tx: Tx): Promise<number> {
  return tx.sql.$count(inventoryAudits, eq(inventoryAudits.status, "running"));
}

async function closeLostAudits(tx: Tx, now: Date): Promise<void> {
  const silentHolder = sql`exists (
    select 1 from ${workerPools} p where p.pool_id = ${inventoryAudits.holder}
      and (p.state = 'ended' or p.beat_at < now() - make_interval(secs => ${poolSilenceSeconds})))`;
  await tx.sql
    .update(inventoryAudits)
    .set({ status: "failed", finishedAt: now })
    .where(
      and(
        eq(inventoryAudits.status, "running"),
        or(lt(inventoryAudits.startedAt, addMs(now, -longestAuditMs)), silentHolder),
      ),
    );
}

async function findNewest(tx: Tx): Promise<InventoryAuditRow | null> {
  const [audit] = await tx.sql.select().from(inventoryAudits).orderBy(desc(inventoryAudits.id)).limit(1);
  return audit ?? null;
}
