import { operations } from "@sewa/db/schema";
import { and, eq, inArray } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { addMs, secondMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import {
  advanceSteps,
  closeSteps,
  maxOperationAttempts,
  operationDeadlineSeconds,
  type OperationKind,
  type OperationStep,
  planSteps,
} from "./operation.ts";
import type { StepKey, StepStatus } from "./step.ts";

export type OperationRow = typeof operations.$inferSelect;

/** The one operation of an instance that has not ended, locked; null when there is none. */
export async function findOpenOperation(tx: Tx, instanceId: string): Promise<OperationRow | null> {
  const [row] = await tx.sql
    .select()
    .from(operations)
    .where(
      and(
        eq(operations.organizationId, organizationOf(tx)),
        eq(operations.instanceId, instanceId),
        inArray(operations.status, ["queued", "running"]),
      ),
    )
    .for("update");
  return row ?? null;
}

/** Deadlines run on real time: the world that has to change does not live on a test clock. */
export async function openOperation(
  tx: Tx,
  input: {
    readonly instanceId: string;
    readonly subscriptionId: string;
    readonly kind: OperationKind;
    readonly generation: number;
    readonly deadlineSeconds?: number;
    readonly growsVolume?: boolean;
  },
): Promise<OperationRow> {
  const { instanceId, subscriptionId, kind, generation } = input;
  const startsAt = tx.ctx.clock.now();
  const deadlineSeconds = input.deadlineSeconds ?? operationDeadlineSeconds[kind];
  const [row] = await tx.sql
    .insert(operations)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      instanceId,
      kind,
      status: "queued",
      steps: planSteps(kind, input.growsVolume ?? false),
      maxAttempts: maxOperationAttempts,
      generation,
      requestedBy: formatActor(tx.ctx.actor),
      requestId: tx.ctx.requestId,
      deadlineAt: addMs(startsAt, deadlineSeconds * secondMs),
      createdAt: startsAt,
    })
    .returning();
  assert(row !== undefined, "an inserted operation is returned");
  record(tx, { type: "operation.started", instanceId, subscriptionId, data: { operationId: row.id, kind } });
  return row;
}

/** A worker has begun. Looking again while the world needs time is no new attempt. */
export async function startOperation(tx: Tx, operation: OperationRow): Promise<void> {
  if (operation.status !== "queued") return;
  const now = tx.ctx.clock.now();
  await tx.sql
    .update(operations)
    .set({
      status: "running",
      attempt: 1,
      startedAt: now,
      steps: advanceSteps(stepsOf(operation), {}, now.toISOString()),
    })
    .where(eq(operations.id, operation.id));
}

/** The world could not be changed or not be seen: what follows is another attempt, up to the last one. */
export async function countAttempt(tx: Tx, operation: OperationRow): Promise<void> {
  const attempt = Math.min(operation.attempt + 1, operation.maxAttempts);
  if (attempt !== operation.attempt)
    await tx.sql.update(operations).set({ attempt }).where(eq(operations.id, operation.id));
}

/** Writes how far it has come; says whether anything is new. */
export async function progressOperation(
  tx: Tx,
  operation: OperationRow,
  seen: Partial<Record<StepKey, StepStatus>>,
  note: { readonly reason: string | null; readonly message: string | null },
): Promise<boolean> {
  const before = stepsOf(operation);
  const steps = advanceSteps(before, seen, tx.ctx.clock.now().toISOString());
  const finished = steps.filter((step, index) => step.status === "done" && before[index]?.status !== "done");
  const changed =
    JSON.stringify(steps) !== JSON.stringify(before) ||
    operation.reason !== note.reason ||
    operation.message !== note.message;
  if (!changed) return false;
  await tx.sql
    .update(operations)
    .set({ steps, ...note })
    .where(eq(operations.id, operation.id));
  for (const { key } of finished) {
    record(tx, {
      type: "operation.stepFinished",
      instanceId: operation.instanceId,
      data: { operationId: operation.id, kind: operation.kind, step: key },
    });
  }
  return true;
}

const endEvents = {
  succeeded: "operation.succeeded",
  failed: "operation.failed",
  cancelled: "operation.cancelled",
} as const;

/** Ends an operation once; the caller holds its row. */
export async function endOperation(
  tx: Tx,
  operation: OperationRow,
  status: "succeeded" | "failed" | "cancelled",
  note: { readonly reason: string | null; readonly message: string | null } = { reason: null, message: null },
): Promise<void> {
  const now = tx.ctx.clock.now();
  const steps = status === "cancelled" ? stepsOf(operation) : closeSteps(stepsOf(operation), status, now.toISOString());
  const ended = await tx.sql
    .update(operations)
    .set({ status, steps, finishedAt: now, ...note })
    .where(and(eq(operations.id, operation.id), inArray(operations.status, ["queued", "running"])))
    .returning({ id: operations.id });
  assert(ended.length === 1, "an operation ends once");
  record(tx, {
    type: endEvents[status],
    instanceId: operation.instanceId,
    data: { operationId: operation.id, kind: operation.kind, ...note },
  });
}

export function stepsOf(operation: Pick<OperationRow, "steps">): readonly OperationStep[] {
  // The column is written by this file only, from typed steps.
  return operation.steps as readonly OperationStep[];
}
