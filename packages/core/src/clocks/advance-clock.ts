import { operations, testClocks } from "@sewa/db/schema";
import { and, eq, inArray, sql } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import { authorize } from "../permissions.ts";
import { expireChanges, hasChangeInWork } from "../changes/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { enqueue, enqueueMissing } from "../jobs/index.ts";
import { nextLocalHour } from "../periods.ts";
import { collectInvoice, isSettling, listDueCollections } from "../payments/index.ts";
import { watchSpending } from "../spending/index.ts";
import { listDueSubscriptions, reconcileSubscription, remindOrganization } from "../subscriptions/index.ts";
import {
  awaitsMeasurement,
  hasAppsChargedByUse,
  type MeasuredUsage,
  rateSimulatedUsage,
  simulateHours,
} from "../usage/index.ts";

/** The furthest that one call moves a clock. */
export const maxAdvanceDays = 800;

export interface TestClock {
  readonly now: Date;
  /** Ahead of `now` while the clock is being moved; equal when everything that was due on the way has happened. */
  readonly target: Date;
}

/** What the cluster measures of its apps now; null where it does not say. */
export type Measure = () => Promise<readonly MeasuredUsage[] | null>;

/** The organization's test clock, or null when it lives in the present. */
export async function findTestClock(ctx: CoreContext): Promise<TestClock | null> {
  return ctx.transaction(async (tx) => {
    const [row] = await tx.sql
      .select()
      .from(testClocks)
      .where(eq(testClocks.organizationId, organizationOf(tx)));
    return row === undefined ? null : { now: row.nowAt, target: row.targetAt };
  });
}

/** Says how far the organization's time shall go; a job takes it there. TEST_CLOCK_REQUIRED for those in the present. */
export async function advanceClock(ctx: CoreContext, input: { readonly to: Date }): Promise<TestClock> {
  authorize(ctx.actor, ctx.actor.type === "operator" ? "admin.clock.advance" : "clock.advance");
  return ctx.transaction(async (tx) => {
    const organizationId = organizationOf(tx);
    const clock = await lockClock(tx);
    if (clock === null)
      throw new DomainError("TEST_CLOCK_REQUIRED", "This organization does not live on a test clock.");
    if (input.to < clock.targetAt) throw new DomainError("INVALID_INPUT", "A clock goes forward only.");
    if (input.to > addMs(clock.nowAt, maxAdvanceDays * dayMs)) {
      throw new DomainError("INVALID_INPUT", `A clock moves ${maxAdvanceDays} days at most at once.`);
    }
    await tx.sql.update(testClocks).set({ targetAt: input.to }).where(eq(testClocks.organizationId, organizationId));
    record(tx, { type: "clock.advanced", data: { from: clock.nowAt.toISOString(), to: input.to.toISOString() } });
    await enqueue(tx, "clock:advance", { organizationId });
    return { now: clock.nowAt, target: input.to };
  });
}

/** Due times that one run of the job passes before it lets others work. */
const maxStepsPerRun = 40;
const waitMs = 250;

/**
 * Takes the clock from due time to due time, as the sweeps would have found them, and on to the target. Waits (by adding
 * itself again) while an operation of the organization is open: the world needs real time. Safe to run twice. `measure`
 * says what the apps use, of which the hours that pass are made; without it they are gaps.
 */
export async function stepClock(
  ctx: CoreContext,
  organizationId: string,
  { measure }: { readonly measure?: Measure } = {},
): Promise<{ readonly arrived: boolean }> {
  const bound = ctx.forOrganization(organizationId);
  // What is measured holds for the whole run: as soon as something is to start or to stop, time waits and the run ends.
  const isCharged = measure !== undefined && (await bound.transaction((tx) => hasAppsChargedByUse(tx)));
  const measured = isCharged ? await measure() : null;
  // A run that was killed may have left out what follows the step that it took last. So that is done first, again.
  let step = await bound.transaction(repeatStep);
  for (let steps = 0; steps <= maxStepsPerRun; steps += 1) {
    if (step === "arrived") return { arrived: true };
    if (step === "waiting") break;
    await rateSimulatedUsage(bound);
    await watchSpending(bound);
    for (const subscriptionId of step.due) await reconcileSubscription(ctx, subscriptionId);
    for (const invoiceId of step.collects) await collectInvoice(ctx, invoiceId);
    await expireChanges(bound);
    if (step.reminds) await remindOrganization(bound);
    step = await bound.transaction((tx) => moveToNextDue(tx, measured));
  }
  await bound.transaction((tx) => enqueue(tx, "clock:advance", { organizationId }, { delayMs: waitMs }));
  return { arrived: false };
}

/** Finds clocks that are on their way although their job was lost. For the sweep. */
export async function sweepClocks(ctx: CoreContext): Promise<{ readonly readded: number }> {
  const moving = sql`select organization_id as id from test_clocks where target_at > now_at`;
  return { readded: await enqueueMissing(ctx, "clock:advance", moving) };
}

type Step =
  | "arrived"
  | "waiting"
  | { readonly due: readonly string[]; readonly collects: readonly string[]; readonly reminds: boolean };

/** What is due where the clock stands, and the reminder where that is its hour. Each is safe to do twice. */
async function repeatStep(tx: Tx): Promise<Step> {
  const clock = await lockClock(tx);
  if (clock === null) return "arrived";
  const due = await listDueSubscriptions(tx, clock.nowAt);
  const collects = await listDueCollections(tx, clock.nowAt);
  return {
    due: due.map(({ id }) => id),
    collects: collects.map(({ invoiceId }) => invoiceId),
    reminds: (await reminderAfter(tx, addMs(clock.nowAt, -1))).getTime() === clock.nowAt.getTime(),
  };
}

async function moveToNextDue(tx: Tx, measured: readonly MeasuredUsage[] | null): Promise<Step> {
  const clock = await lockClock(tx);
  if (clock === null) return "arrived";

  const due = await listDueSubscriptions(tx, clock.targetAt);
  const collects = await listDueCollections(tx, clock.targetAt);
  const by = (at: Date) => ({
    due: due.filter(({ dueAt }) => dueAt <= at).map(({ id }) => id),
    collects: collects.filter(({ dueAt }) => dueAt <= at).map(({ invoiceId }) => invoiceId),
  });
  const overdue = by(clock.nowAt);
  if (overdue.due.length + overdue.collects.length > 0) return { ...overdue, reminds: false };
  if (clock.nowAt >= clock.targetAt) return "arrived";
  if ((await hasOpenOperation(tx)) || (await hasChangeInWork(tx)) || (await isSettling(tx))) return "waiting";
  if (measured !== null && (await awaitsMeasurement(tx, measured))) return "waiting";
  const reminderAt = await reminderAfter(tx, clock.nowAt);
  const nextAt = new Date(
    Math.min(
      clock.targetAt.getTime(),
      reminderAt.getTime(),
      ...[...due, ...collects].map(({ dueAt }) => dueAt.getTime()),
    ),
  );
  await tx.sql
    .update(testClocks)
    .set({ nowAt: nextAt })
    .where(eq(testClocks.organizationId, organizationOf(tx)));
  await simulateHours(tx, { from: clock.nowAt, to: nextAt, measured: measured ?? [] });
  return {
    ...by(nextAt),
    reminds: nextAt.getTime() === reminderAt.getTime(),
  };
}

async function lockClock(tx: Tx): Promise<typeof testClocks.$inferSelect | null> {
  const [clock] = await tx.sql
    .select()
    .from(testClocks)
    .where(eq(testClocks.organizationId, organizationOf(tx)))
    .for("update");
  return clock ?? null;
}

async function reminderAfter(tx: Tx, at: Date): Promise<Date> {
  const { timeZone } = await getOrganization(tx);
  return nextLocalHour(at, tx.ctx.config.reminderHour, timeZone);
}

async function hasOpenOperation(tx: Tx): Promise<boolean> {
  const open = await tx.sql
    .select({ one: sql`1` })
    .from(operations)
    .where(and(eq(operations.organizationId, organizationOf(tx)), inArray(operations.status, ["queued", "running"])))
    .limit(1);
  return open.length > 0;
}
