import { derivePhase, type DesiredPhase, type SubscriptionStatus } from "../instances/index.ts";
import { dayMs } from "../clock.ts";
import { divideRounded, type Money } from "../money.ts";
import type { Interval } from "../periods.ts";

/** An instance and its subscription, as far as an audit has to know them. */
export interface InventoryRow {
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly desiredPhase: DesiredPhase;
  readonly requestedPhase: "running" | "stopped";
  readonly standingHolds: number;
  readonly isSettled: boolean;
  readonly isRemoved: boolean;
  /** Somebody works on it, or did a moment ago: between two states nothing can be missed. */
  readonly inFlux: boolean;
  /** It was written to while the cluster was looked at, so the look may show either state. Set by `settleRows`. */
  readonly hasMoved: boolean;
  readonly releasesCapacity: boolean;
  readonly hasHold: boolean;
  readonly subscription: {
    readonly status: SubscriptionStatus;
    readonly isCapped: boolean;
    readonly amount: Money;
    readonly interval: Interval;
    readonly currentPeriodStart: Date | null;
    readonly currentPeriodEnd: Date | null;
    readonly isPurged: boolean;
  };
  /** Differs as soon as anybody wrote to the instance or worked on it. */
  readonly mark: string;
}

/** Money, customer and operator say so, whatever was written down as desired. */
export function wantedPhaseOf(row: InventoryRow): DesiredPhase {
  return derivePhase({
    subscription: row.subscription,
    requestedPhase: row.requestedPhase,
    standingHolds: row.standingHolds,
  });
}

/** Nothing of it may be in the cluster: it was never begun, or its removal was confirmed, and nobody pays for it. */
export function isGone(row: InventoryRow): boolean {
  const isAbsent = row.isRemoved || (row.desiredPhase === "absent" && row.isSettled);
  return isAbsent && wantedPhaseOf(row) === "absent";
}

/** Room has to be promised to whatever runs or may be started again at once. */
export function needsHold(row: InventoryRow): boolean {
  return !row.isRemoved && row.desiredPhase !== "absent" && !row.releasesCapacity;
}

/** A hold that nobody needs any more. An order that waits for its money keeps its room. */
export function isHoldOver(row: InventoryRow): boolean {
  if (row.isRemoved) return true;
  if (!row.isSettled) return false;
  if (row.desiredPhase === "absent") return row.subscription.status === "cancelled";
  return row.desiredPhase === "stopped" && row.releasesCapacity;
}

const intervalDays = { P30D: 30, P1M: 30 } as const satisfies Record<Interval, number>;

/** The price of a day: a month has the days of the period that runs, or thirty while none does. Rounded once. */
export function costPerDay({ subscription }: InventoryRow): Money {
  const { amount, interval, currentPeriodStart: start, currentPeriodEnd: end } = subscription;
  const days = start === null || end === null ? intervalDays[interval] : (end.getTime() - start.getTime()) / dayMs;
  return { ...amount, amountMinor: divideRounded(amount.amountMinor, BigInt(Math.max(1, Math.round(days)))) };
}

/** Rows as read after the cluster was looked at, with what has moved since they were read before. */
export function settleRows(
  before: ReadonlyMap<string, InventoryRow>,
  after: ReadonlyMap<string, InventoryRow>,
): ReadonlyMap<string, InventoryRow> {
  return new Map(
    [...after].map(([id, row]) => {
      const former = before.get(id);
      // Rows of what is gone are read only once their namespace was seen.
      const isSame = former === undefined ? row.isRemoved : former.mark === row.mark;
      return [id, { ...row, hasMoved: !isSame }];
    }),
  );
}
