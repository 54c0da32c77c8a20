import type { instanceChanges } from "@sewa/db/schema";
import type { AddonCounts } from "../catalog/index.ts";
import type { DesiredPhase, InstanceShape, SubscriptionStatus } from "../instances/index.ts";
import type { OperationStatus } from "../operations/index.ts";
import { assert, unreachable } from "../errors.ts";
import { canonicalJson } from "../json.ts";
import type { SubscriptionTerms } from "../subscriptions/index.ts";
import type { ChangeEffects } from "./effects.ts";

export type ChangeRow = typeof instanceChanges.$inferSelect;
export type ChangeKind = ChangeRow["kind"];
export const changeStatuses = [
  "planning",
  "planned",
  "awaiting_payment",
  "approved",
  "executing",
  "executed",
  "failed",
  "refused",
  "expired",
] as const satisfies readonly ChangeRow["status"][];
export type ChangeStatus = (typeof changeStatuses)[number];

/**
 * planning: asked for; a worker looks at the cluster for it.
 * planned: its owner sees what would happen and what it costs; nothing is held, nothing has changed.
 * awaiting_payment: approved, with its room held; waits for the money of its invoice.
 * approved: room is held, nothing is owed; a worker looks whether the world still is as it was planned with.
 * executing: the app is wanted in its new shape, at its new price; the operation says how far it is.
 * executed: the world is as it was planned.
 * failed: it did not come up; the former shape is wanted again, at the former price, and what was paid for it is returned.
 * refused: it cannot be done, or the world was another one by then; nothing has changed, what was paid is returned.
 * expired: nobody approved it or paid for it in time; nothing has changed.
 */
export const changeTransitions = {
  planning: ["planned", "refused", "expired"],
  planned: ["awaiting_payment", "approved", "refused", "expired"],
  awaiting_payment: ["approved", "refused", "expired"],
  approved: ["executing", "refused"],
  executing: ["executed", "failed"],
  executed: [],
  failed: [],
  refused: [],
  expired: [],
} as const satisfies Record<ChangeStatus, readonly ChangeStatus[]>;

/** Those of which an instance has one at most. */
export const underWay = ["awaiting_payment", "approved", "executing"] as const satisfies readonly ChangeStatus[];

export function isUnderWay(status: ChangeStatus): boolean {
  return (underWay as readonly ChangeStatus[]).includes(status);
}

export type ChangeRequest =
  | { readonly kind: "resize"; readonly planId: string }
  | {
      readonly kind: "update";
      readonly parameters: Readonly<Record<string, unknown>>;
      /** How many there are then, of those that become more. */
      readonly addons?: AddonCounts;
    }
  | { readonly kind: "upgrade"; readonly parameters: Readonly<Record<string, unknown>> }
  | { readonly kind: "deprovision" };

/** What an app is made of, and the terms on which it is rented; all that a change may change. Amounts stand beside it. */
export type ChangeShape = InstanceShape & Omit<SubscriptionTerms, "amountMinor">;

/** Why a change came to nothing, each with what a person reads. */
export const changeReasons = {
  PLAN_STALE: "Something has changed since this was planned. Plan it again.",
  VOLUME_CANNOT_GROW: "The storage of this cluster cannot grow, so nothing was added and nothing is charged.",
  OBJECT_REFUSED: "The cluster would not accept the app in this shape.",
  CLUSTER_UNREACHABLE: "The cluster did not answer in time.",
  OPERATION_FAILED: "The app did not come up in its new shape, so it was put back to what it was.",
  SUPERSEDED: "The app was ended before this was done.",
  NOT_APPROVED: "It was not approved in time.",
  NOT_PAID: "It was not paid in time.",
  NO_ROOM: "There was no room for the larger app.",
} as const;
export type ChangeReason = keyof typeof changeReasons;

export interface ChangeFacts {
  readonly change: Pick<ChangeRow, "kind" | "status" | "expiresAt" | "deadlineAt">;
  readonly subscription: { readonly status: SubscriptionStatus };
  readonly invoice: { readonly status: "draft" | "open" | "paid" | "void" | "uncollectible" } | null;
  readonly operation: { readonly status: OperationStatus } | null;
  readonly instance: {
    readonly desiredPhase: DesiredPhase;
    readonly isSettled: boolean;
    /** An operation is open, whichever. */
    readonly isBusy: boolean;
    readonly removedAt: Date | null;
  };
}

export type ChangeAction =
  | { readonly type: "approve" }
  | { readonly type: "finish" }
  | { readonly type: "restore" }
  | { readonly type: "end"; readonly status: "expired" | "refused" | "failed"; readonly reason: ChangeReason };

/** What has to happen now, or null. `now` is business time, `realNow` the world's. Pure. */
export function decideChange(facts: ChangeFacts, now: Date, realNow: Date): ChangeAction | null {
  const { change, invoice, subscription } = facts;
  switch (change.status) {
    case "planning":
      return realNow >= change.deadlineAt ? { type: "end", status: "expired", reason: "CLUSTER_UNREACHABLE" } : null;
    case "planned":
      return now >= change.expiresAt ? { type: "end", status: "expired", reason: "NOT_APPROVED" } : null;
    case "awaiting_payment":
      // Money that came is looked at first: what follows from it is decided with the world that it meets.
      if (invoice?.status === "paid") return { type: "approve" };
      if (subscription.status !== "active") return { type: "end", status: "expired", reason: "SUPERSEDED" };
      return invoice?.status !== "open" || now >= change.expiresAt
        ? { type: "end", status: "expired", reason: "NOT_PAID" }
        : null;
    case "approved":
      return realNow >= change.deadlineAt ? { type: "end", status: "refused", reason: "CLUSTER_UNREACHABLE" } : null;
    case "executing":
      return change.kind === "deprovision" ? decideRemoval(facts) : decideExecution(facts);
    case "executed":
    case "failed":
    case "refused":
    case "expired":
      return null;
    default:
      return unreachable(change.status);
  }
}

/** What is asked away stays wanted away, however long it takes. */
function decideRemoval({ instance }: ChangeFacts): ChangeAction | null {
  return instance.removedAt === null ? null : { type: "finish" };
}

function decideExecution({ operation, instance }: ChangeFacts): ChangeAction | null {
  assert(operation !== null, "what is carried out has an operation");
  switch (operation.status) {
    case "succeeded":
      return { type: "finish" };
    case "failed":
      return { type: "restore" };
    case "cancelled":
      if (instance.desiredPhase === "absent") return { type: "end", status: "failed", reason: "SUPERSEDED" };
      // Something went first, as an expiry does. The new shape is wanted all the same, so it is there with the next rest.
      if (instance.isSettled) return { type: "finish" };
      return instance.isBusy ? null : { type: "restore" };
    case "queued":
    case "running":
      return null;
    default:
      return unreachable(operation.status);
  }
}

export function requestOf(change: ChangeRow): ChangeRequest {
  // The columns are written by this domain only, from typed values.
  return change.request as ChangeRequest;
}

export function shapesOf(change: ChangeRow): { readonly before: ChangeShape; readonly after: ChangeShape | null } {
  const shape = (stored: unknown): ChangeShape => ({ addons: {}, ...(stored as Omit<ChangeShape, "addons">) });
  // Those of before there were add-ons have none.
  return { before: shape(change.shapeBefore), after: change.shapeAfter === null ? null : shape(change.shapeAfter) };
}

/** Another plan, or a period that costs something else: what is invoiced from now on is something else. */
export function changesTerms(change: ChangeRow): boolean {
  const { before, after } = shapesOf(change);
  if (after === null) return false;
  // Each plan has prices of its own. The plan of the shape says nothing: an app may have yet to follow a plan that has begun.
  return before.priceId !== after.priceId || canonicalJson(before.items) !== canonicalJson(after.items);
}

export function effectsOf(change: ChangeRow): ChangeEffects | null {
  return change.effects as ChangeEffects | null;
}
