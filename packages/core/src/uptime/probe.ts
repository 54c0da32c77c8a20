import type { instanceProbes } from "@sewa/db/schema";
import { minuteMs, secondMs } from "../clock.ts";

/** An app that has not answered for so long is reported as down. */
export const downAfterMs = 5 * minuteMs;
/** Probes further apart say nothing about the time between them. */
const longestGapMs = 3 * minuteMs;
/** A probe stands for the minute in which it was made. */
const probeSeconds = minuteMs / secondMs;

/** The last probe of an instance and what has followed from it. */
export type ProbeState = Pick<
  typeof instanceProbes.$inferSelect,
  "probedAt" | "isAnswering" | "generation" | "failingSince" | "downSince"
>;

export interface Probe {
  /** Real time. */
  readonly at: Date;
  readonly isAnswering: boolean;
  /** Of the desired state that was asked. */
  readonly generation: number;
}

export interface ProbeDecision {
  readonly failingSince: Date | null;
  /** What is added to the day; nothing for a second probe in one minute. */
  readonly upSeconds: number;
  readonly downSeconds: number;
  /** It answered before and does not now, or the other way round. */
  readonly isChange: boolean;
}

/**
 * What a probe means after the one before; null for one that is not newer, so that nothing counts twice. A run of failures
 * is broken by an answer, by a change of what is wanted (a restart, a stop) and by a gap: only time that was probed counts.
 */
export function decideProbe(before: ProbeState | null, probe: Probe): ProbeDecision | null {
  if (before !== null && before.probedAt >= probe.at) return null;
  const isNewMinute = before === null || minuteOf(before.probedAt) < minuteOf(probe.at);
  const seconds = isNewMinute ? probeSeconds : 0;
  const isContinued =
    before !== null &&
    before.generation === probe.generation &&
    probe.at.getTime() - before.probedAt.getTime() <= longestGapMs;
  const failingSince = isContinued ? (before.failingSince ?? probe.at) : probe.at;
  return {
    failingSince: probe.isAnswering ? null : failingSince,
    upSeconds: probe.isAnswering ? seconds : 0,
    downSeconds: probe.isAnswering ? 0 : seconds,
    isChange: probe.isAnswering !== (before?.isAnswering ?? true),
  };
}

export type Outage = "wentDown" | "cameBack";

/** The edge that a customer has still to be told of. */
export function decideOutage(state: ProbeState): Outage | null {
  const { probedAt, isAnswering, failingSince, downSince } = state;
  if (downSince !== null) return isAnswering ? "cameBack" : null;
  const isDown = failingSince !== null && probedAt.getTime() - failingSince.getTime() >= downAfterMs;
  return isDown ? "wentDown" : null;
}

function minuteOf(date: Date): number {
  return Math.floor(date.getTime() / minuteMs);
}
