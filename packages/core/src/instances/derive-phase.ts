import { unreachable } from "../errors.ts";

export type SubscriptionStatus = "pending" | "active" | "past_due" | "expired" | "cancelled";
export type DesiredPhase = "running" | "stopped" | "absent";
export type RequestedPhase = "running" | "stopped";

export interface PhaseFacts {
  readonly subscription: {
    readonly status: SubscriptionStatus;
    /** Its use has cost as much as its customer allows for a period. */
    readonly isCapped: boolean;
  };
  /** What the customer last asked for. Outlives expiry and renewal, so resuming is the exact inverse of suspending. */
  readonly requestedPhase: RequestedPhase;
  /** How many reasons stand to keep it stopped (operator, abuse, parked books). */
  readonly standingHolds: number;
}

/** The one place where money and time meet the machine. */
export function derivePhase({ subscription, requestedPhase, standingHolds }: PhaseFacts): DesiredPhase {
  switch (subscription.status) {
    case "pending":
    case "cancelled":
      return "absent";
    case "expired":
      return "stopped";
    case "active":
    case "past_due":
      return standingHolds > 0 || subscription.isCapped ? "stopped" : requestedPhase;
    default:
      return unreachable(subscription.status);
  }
}
