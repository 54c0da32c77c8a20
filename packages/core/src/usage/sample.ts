import { z } from "zod";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import type { MeasuredUsage } from "./measured-usage.ts";

/** How long minutes are kept, and the hours that they are summed up in. */
export const sampleDays = 2;
export const hourDays = 100;

/** Older than this is refused: the other minutes of its hour may soon be gone, and the hour could not be summed up again. */
const oldestMs = 24 * hourMs;
/** Clocks of clusters go wrong; further ahead than this is no measurement. */
const aheadMs = 5 * minuteMs;

/** A whole minute of UTC. */
export interface UsageSample {
  readonly instanceId: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Null, as memory then is: no pod was measured. */
  readonly cpuMillis: number | null;
  readonly memoryBytes: number | null;
  readonly storageBytes: number;
}

/**
 * A measurement stands for the minute in which it ended, so its window does not depend on what else is known: whoever
 * collects, in whatever order and how often, comes to the same rows. Null for what cannot be: it comes from outside, and one wrong entry must not keep the others out.
 */
export function toSample(measured: MeasuredUsage, now: Date): UsageSample | null {
  const at = (measured.measuredAt ?? now).getTime();
  // Written this way round, what is no time at all is refused as well.
  if (!(at >= now.getTime() - oldestMs && at <= now.getTime() + aheadMs)) return null;
  const startedAt = new Date(Math.floor(at / minuteMs) * minuteMs);
  const isMeasured = measured.measuredAt !== null && measured.workloads.length > 0;
  const amounts = {
    cpuMillis: isMeasured ? sum(measured.workloads.map(({ cpuMillis }) => cpuMillis)) : null,
    memoryBytes: isMeasured ? sum(measured.workloads.map(({ memoryBytes }) => memoryBytes)) : null,
    storageBytes: measured.storageBytes,
  };
  if (!uuid.safeParse(measured.instanceId).success || !Object.values(amounts).every(isAmount)) return null;
  return { instanceId: measured.instanceId, startedAt, endedAt: addMs(startedAt, minuteMs), ...amounts };
}

const uuid = z.uuid();

function sum(amounts: readonly number[]): number {
  return Math.round(amounts.reduce((total, amount) => total + amount, 0));
}

function isAmount(value: number | null): boolean {
  return value === null || (Number.isSafeInteger(value) && value >= 0);
}

/** One sample for each minute of each instance, by instance; one that says more goes before one that says less. */
export function uniqueSamples(samples: readonly UsageSample[]): readonly UsageSample[] {
  const byMinute = new Map<string, UsageSample>();
  for (const sample of samples) {
    const key = `${sample.instanceId} ${sample.endedAt.getTime()}`;
    const known = byMinute.get(key);
    if (known === undefined || (known.cpuMillis === null && sample.cpuMillis !== null)) byMinute.set(key, sample);
  }
  return [...byMinute.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sample]) => sample);
}
