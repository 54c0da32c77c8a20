import type { Money } from "../money.ts";
import type { ObjectRef, Requests } from "./world.ts";

/**
 * How rows and cluster can disagree. Those of an instance that should be there:
 * missing: an object is not there. changed: a field of ours is not as wanted. mislabelled: its labels name somebody else.
 * running_unwanted: it runs, or is still there, although it is to be stopped or gone. extra: an object of ours that nothing
 * asks for any more. foreign: somebody else's object in its namespace. unrenderable: nobody can say what it should have.
 *
 * Those of a namespace: orphan_namespace: no row asks for it. namespace_stuck: it is being deleted and does not go.
 * stray: an object with our label outside of every namespace of ours.
 *
 * Those of rows alone: wrong_phase: what is wanted is not what money and customer say. hold_without_instance: room is
 * promised to nobody. instance_without_hold: it runs on room that was never promised.
 */
export const findingKinds = [
  "missing",
  "changed",
  "mislabelled",
  "running_unwanted",
  "extra",
  "foreign",
  "unrenderable",
  "orphan_namespace",
  "namespace_stuck",
  "stray",
  "wrong_phase",
  "hold_without_instance",
  "instance_without_hold",
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** critical: data, isolation or money is at stake. warning: something is paid for and not given, or given and not paid for. */
export const findingSeverities = ["critical", "warning", "info"] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

/** kept_for_data: what ran is deleted, and the namespace stays for its volumes. */
export const findingActions = ["none", "repaired", "deleted", "kept_for_data"] as const;
export type FindingAction = (typeof findingActions)[number];

/** Facts for operators, without values of fields and without secrets. */
export interface FindingDetails {
  /** Paths of fields that differ. */
  readonly fields?: readonly string[];
  /** What an orphan's row says: none at all, or one of an instance that is gone. */
  readonly row?: "none" | "gone";
  /** Volume claims in a namespace: its data. */
  readonly volumes?: number;
  /** Objects in it that run or answer. */
  readonly running?: number;
  /** The subscription was cancelled, and its data deleted, before. */
  readonly isPurged?: boolean;
  /** More orphans at once than a house that knows its own would have: nothing is deleted. */
  readonly isHeldBack?: boolean;
  /** It names no house, and no row knows it: whose it is nobody can say, so it is not deleted. */
  readonly isUnsigned?: boolean;
  /** Another house has something in it: it is not deleted. */
  readonly isShared?: boolean;
  /** The namespace says that it is another instance's, or another house's. */
  readonly isNameTaken?: boolean;
  readonly deletingSince?: string;
  readonly blockedBy?: string;
  readonly desiredPhase?: string;
  readonly wantedPhase?: string;
}

/** One disagreement, as one audit sees it. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: FindingSeverity;
  readonly subject: ObjectRef;
  /** What the row says, or the labels where there is no row; null when neither does. */
  readonly organizationId: string | null;
  readonly subscriptionId: string | null;
  readonly instanceId: string | null;
  readonly details: FindingDetails;
  /** What the instance costs its customer a day; null when nobody can say. */
  readonly costPerDay: Money | null;
  /** What the subject takes of the machines; null where it takes nothing. */
  readonly requests: Requests | null;
}

/** What runs or answers, and what the worker may delete beside whole namespaces. Data and what restricts are not among it. */
export const runningKinds: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "Job", "Ingress", "Service"]);

/** Kinds that are deleted or left to people, and told only once they are no passing state. */
const orphanKinds: ReadonlySet<FindingKind> = new Set(["orphan_namespace", "stray", "extra"]);

export function isOrphan(kind: FindingKind): boolean {
  return orphanKinds.has(kind);
}

/** The same disagreement in two audits has the same identity; an object that was made anew is another one. */
export function findingIdentity({ kind, subject }: Pick<Finding, "kind" | "subject">): string {
  return [kind, subject.kind, subject.namespace ?? "", subject.name, subject.uid ?? ""].join("/");
}
