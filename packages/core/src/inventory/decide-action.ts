import { addMs, dayMs } from "../clock.ts";
import { unreachable } from "../errors.ts";
import { type Finding, runningKinds } from "./finding.ts";
import type { ObjectRef } from "./world.ts";

/** What an audit does about a finding. Whatever deletes is decided from a whole look and two sightings. */
export type InventoryAction =
  /** Nothing, or nothing yet. */
  | { readonly type: "leave" }
  /** Apply everything of the instance again, whatever is remembered of it. */
  | { readonly type: "reconcile"; readonly instanceId: string }
  /** Correct the rows of the instance: its wish, its promise of room. */
  | { readonly type: "correct_rows"; readonly instanceId: string }
  | { readonly type: "delete"; readonly object: ObjectRef }
  /** Delete what runs in a namespace and keep the rest, for its data. */
  | { readonly type: "stop_namespace"; readonly object: ObjectRef };

export interface SeenFinding extends Finding {
  readonly firstSeenAt: Date;
  /** Whole looks that saw it, `sightingMs` apart. */
  readonly sightings: number;
}

const leave: InventoryAction = { type: "leave" };
/** A second look that is far enough from the first, so that nothing passing is taken for something that stays. */
export const sightingsToDelete = 2;

export function decideAction(
  finding: SeenFinding,
  rules: { readonly isWhole: boolean; readonly orphanVolumeGraceDays: number },
  now: Date,
): InventoryAction {
  const { kind, instanceId, subject, details } = finding;
  switch (kind) {
    case "missing":
    case "changed":
    case "mislabelled":
    case "running_unwanted":
      return instanceId === null || details.isNameTaken === true ? leave : { type: "reconcile", instanceId };
    case "wrong_phase":
    case "hold_without_instance":
    case "instance_without_hold":
      return instanceId === null ? leave : { type: "correct_rows", instanceId };
    case "extra":
      return rules.isWhole && finding.sightings >= sightingsToDelete && runningKinds.has(subject.kind)
        ? { type: "delete", object: subject }
        : leave;
    case "orphan_namespace":
      return rules.isWhole ? decideOrphan(finding, rules.orphanVolumeGraceDays, now) : leave;
    // Not ours to delete, or nothing that could be done without a person.
    case "foreign":
    case "stray":
    case "namespace_stuck":
    case "unrenderable":
      return leave;
    default:
      return unreachable(kind);
  }
}

function decideOrphan(finding: SeenFinding, graceDays: number, now: Date): InventoryAction {
  const { details, subject, sightings, firstSeenAt } = finding;
  if (sightings < sightingsToDelete || details.deletingSince !== undefined) return leave;
  if (details.isHeldBack === true || details.isUnsigned === true) return leave;
  const isGraceOver = now >= addMs(firstSeenAt, graceDays * dayMs);
  const hasDataToKeep = (details.volumes ?? 0) > 0 && details.isPurged !== true && !isGraceOver;
  if (!hasDataToKeep && details.isShared !== true) return { type: "delete", object: subject };
  return (details.running ?? 0) > 0 ? { type: "stop_namespace", object: subject } : leave;
}
