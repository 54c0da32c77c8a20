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

export function podsOf(instance: Pick<InstanceRow, "pods">): readonly ObservedPod[] {
  // The column is written by recordObserved only, from a typed observation.
  return instance.pods as unknown as readonly ObservedPod[];
}

export function conditionsOf(instance: Pick<InstanceRow, "conditions">): readonly Condition[] {
  return instance.conditions as unknown as readonly Condition[];
}
