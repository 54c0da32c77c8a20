import type { instances } from "@sewa/db/schema";
import type { CoreConfig } from "../context.ts";
import type { OperationKind } from "../operations/index.ts";
import type { DesiredPhase } from "./derive-phase.ts";
import type { Condition, Observation, ObservedPod } from "./observation.ts";

export type InstanceRow = typeof instances.$inferSelect;

/** Address that customers open; answers once the owner account is claimed. */
export function deriveAddress(config: CoreConfig, host: string): string {
  return `${config.appsScheme}://${host}${config.appsPort === null ? "" : `:${config.appsPort}`}`;
}

/** The operation that a change of what is wanted means to a customer; null when there is nothing to follow. */
export function deriveOperationKind(
  instance: Pick<InstanceRow, "desiredPhase" | "readyAt" | "observedPhase">,
  phase: DesiredPhase,
): OperationKind | null {
  if (phase === "absent") return "deprovision";
  if (phase === "stopped") return instance.desiredPhase === "absent" ? null : "stop";
  return instance.readyAt === null ? "provision" : "start";
}

/** True when the world is as wanted and there is nothing left to do but to watch. */
export function isSettled(desired: DesiredPhase, observation: Pick<Observation, "existence" | "phase">): boolean {
  switch (desired) {
    case "absent":
      return observation.existence === "absent";
    case "stopped":
      return observation.existence === "present" && observation.phase === "stopped";
    case "running":
      return observation.existence === "present" && observation.phase === "running";
  }
}

/** An app, or the way to it, may go to and fro between these every second. */
const flapping: ReadonlySet<string> = new Set(["running", "degraded", "provisioning", "unknown"]);
/** So many turns are told in so long a time, which is enough for an app that comes up after some trouble. */
export const toldTurns = 4;
const flapSeconds = 300;

export function isFlapping(phase: string): boolean {
  return flapping.has(phase);
}

/** Whether a phase is to be told of, after `told`: the last ones that were, newest first, at most `toldTurns`. */
export function isPhaseNews(
  told: readonly { readonly phase: string; readonly ageSeconds: number }[],
  phase: InstanceRow["observedPhase"],
): boolean {
  if (told[0]?.phase === phase) return false;
  const isToAndFro = isFlapping(phase) && told.every((turn) => isFlapping(turn.phase) && turn.ageSeconds < flapSeconds);
  return !isToAndFro || told.length < toldTurns;
}

/** A pod that was not there before counts from its own zero; one that is gone takes nothing back. */
export function countRestarts(before: readonly ObservedPod[], now: readonly ObservedPod[]): number {
  const known = new Map(before.map(({ name, restarts }) => [name, restarts]));
  return now.reduce((sum, { name, restarts }) => sum + Math.max(0, restarts - (known.get(name) ?? 0)), 0);
}

export function podsOf(instance: Pick<InstanceRow, "pods">): readonly ObservedPod[] {
  // The column is written by recordObserved only, from a typed observation.
  return instance.pods as unknown as readonly ObservedPod[];
}

export function conditionsOf(instance: Pick<InstanceRow, "conditions">): readonly Condition[] {
  return instance.conditions as unknown as readonly Condition[];
}
