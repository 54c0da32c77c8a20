import { instanceProbes, instances, organizations, uptimeDays } from "@sewa/db/schema";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { enqueue } from "../jobs/index.ts";
import { localDay } from "../periods.ts";
import { shouldAnswer } from "./list-probe-targets.ts";
import { decideProbe, type ProbeDecision } from "./probe.ts";

export interface ProbeAnswer {
  readonly instanceId: string;
  /** As it was when the app was chosen to be asked. */
  readonly generation: number;
  readonly isAnswering: boolean;
}

const batchSize = 500;

/**
 * Writes down a round of probes that was made at `at`, of all organizations. Whatever was changed while it was asked counts
 * neither as up nor as down. An app whose answer has changed, or that is taken for running and does not answer, is
 * looked at by its reconcile, which is the one that says so to its customer.
 */
export async function recordProbes(
  ctx: CoreContext,
  round: { readonly at: Date; readonly answers: readonly ProbeAnswer[] },
): Promise<void> {
  const answers = round.answers.toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  for (let start = 0; start < answers.length; start += batchSize) {
    const batch = answers.slice(start, start + batchSize);
    await ctx.transaction(async (tx) => {
      // One writer at a time: what a probe means depends on the one before it.
      await tx.sql.execute(sql`select pg_advisory_xact_lock(hashtext('sewa:probes'))`);
      const probed = await decideBatch(tx, round.at, batch);
      await writeStates(tx, round.at, probed);
      await addToDays(tx, probed);
      for (const { instanceId, needsLook } of probed) {
        if (needsLook) await enqueue(tx, "instance:reconcile", { instanceId });
      }
    });
  }
}

interface Probed {
  readonly instanceId: string;
  readonly organizationId: string;
  readonly generation: number;
  readonly isAnswering: boolean;
  /** On the wall clock of the organization. */
  readonly day: string;
  readonly decision: ProbeDecision;
  readonly needsLook: boolean;
}

async function decideBatch(tx: Tx, at: Date, answers: readonly ProbeAnswer[]): Promise<readonly Probed[]> {
  const given = new Map(answers.map((answer) => [answer.instanceId, answer]));
  const rows = await tx.sql
    .select({
      instanceId: instances.id,
      organizationId: instances.organizationId,
      generation: instances.generation,
      observedPhase: instances.observedPhase,
      timeZone: organizations.timeZone,
      before: instanceProbes,
    })
    .from(instances)
    .innerJoin(organizations, eq(organizations.id, instances.organizationId))
    .leftJoin(instanceProbes, eq(instanceProbes.instanceId, instances.id))
    .where(and(inArray(instances.id, [...given.keys()]), shouldAnswer(tx)));
  return rows.flatMap(({ instanceId, organizationId, generation, observedPhase, timeZone, before }) => {
    const answer = given.get(instanceId);
    if (answer?.generation !== generation) return [];
    const { isAnswering } = answer;
    const decision = decideProbe(before, { at, isAnswering, generation });
    if (decision === null) return [];
    const needsLook = decision.isChange || (!isAnswering && observedPhase === "running");
    return [{ instanceId, organizationId, generation, isAnswering, day: localDay(at, timeZone), decision, needsLook }];
  });
}

/** `down_since` is left alone: it changes with its event. */
async function writeStates(tx: Tx, at: Date, probed: readonly Probed[]): Promise<void> {
  if (probed.length === 0) return;
  await tx.sql
    .insert(instanceProbes)
    .values(
      probed.map(({ instanceId, organizationId, generation, isAnswering, decision: { failingSince } }) => ({
        instanceId,
        organizationId,
        probedAt: at,
        isAnswering,
        generation,
        failingSince,
      })),
    )
    .onConflictDoUpdate({
      target: instanceProbes.instanceId,
      set: {
        probedAt: sql`excluded.probed_at`,
        isAnswering: sql`excluded.is_answering`,
        generation: sql`excluded.generation`,
        failingSince: sql`excluded.failing_since`,
      },
    });
}

async function addToDays(tx: Tx, probed: readonly Probed[]): Promise<void> {
  const counted = probed.filter(({ decision: { upSeconds, downSeconds } }) => upSeconds + downSeconds > 0);
  if (counted.length === 0) return;
  await tx.sql
    .insert(uptimeDays)
    .values(
      counted.map(({ instanceId, organizationId, day, decision: { upSeconds, downSeconds } }) => ({
        instanceId,
        organizationId,
        day,
        upSeconds,
        downSeconds,
      })),
    )
    .onConflictDoUpdate({
      target: [uptimeDays.instanceId, uptimeDays.day],
      set: {
        upSeconds: sql`${uptimeDays.upSeconds} + excluded.up_seconds`,
        downSeconds: sql`${uptimeDays.downSeconds} + excluded.down_seconds`,
      },
    });
}
