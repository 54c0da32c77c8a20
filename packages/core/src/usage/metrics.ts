import { addMs, dayMs, hourMs, minuteMs, secondMs } from "../clock.ts";

/** Each range in at most 300 points. Minutes are kept for two days, so longer ranges are made of hours. */
export const metricRanges = {
  "24h": { lengthMs: dayMs, stepMs: 5 * minuteMs, source: "samples" },
  "7d": { lengthMs: 7 * dayMs, stepMs: hourMs, source: "hours" },
  "30d": { lengthMs: 30 * dayMs, stepMs: 4 * hourMs, source: "hours" },
} as const;
export type MetricRange = keyof typeof metricRanges;
export const metricRangeNames = Object.keys(metricRanges) as readonly MetricRange[];

/** What was measured from `start` on, for one step of the range. Null: nothing was, and nothing is made up. */
export interface MetricPoint {
  readonly start: Date;
  readonly cpu: { readonly averageMillis: number; readonly maxMillis: number } | null;
  readonly memory: { readonly averageBytes: number; readonly maxBytes: number } | null;
  readonly storageBytes: number | null;
}

/** Steps begin at whole multiples of their length in UTC; the last one is the one that runs. */
export function metricWindow(range: MetricRange, now: Date): { readonly from: Date; readonly to: Date } {
  const { lengthMs, stepMs } = metricRanges[range];
  const to = new Date((Math.floor(now.getTime() / stepMs) + 1) * stepMs);
  return { from: addMs(to, -lengthMs), to };
}

/** One step that has measurements, as the database sums it up. */
export interface MeasuredStep extends Record<string, unknown> {
  /** Seconds since the epoch. */
  start: number;
  cpu_average: number | null;
  cpu_max: number | null;
  memory_average: number | null;
  memory_max: number | null;
  storage_max: number | null;
}

/** Every step of the range, in order; those without measurements are empty, so that a chart shows the gap. */
export function toPoints(range: MetricRange, from: Date, steps: readonly MeasuredStep[]): readonly MetricPoint[] {
  const { lengthMs, stepMs } = metricRanges[range];
  const known = new Map(steps.map((step) => [step.start * secondMs, step]));
  return Array.from({ length: lengthMs / stepMs }, (_, index) => {
    const start = addMs(from, index * stepMs);
    return toPoint(start, known.get(start.getTime()));
  });
}

function toPoint(start: Date, step: MeasuredStep | undefined): MetricPoint {
  const pair = (average: number | null | undefined, max: number | null | undefined) =>
    average == null || max == null ? null : ([average, max] as const);
  const cpu = pair(step?.cpu_average, step?.cpu_max);
  const memory = pair(step?.memory_average, step?.memory_max);
  return {
    start,
    cpu: cpu === null ? null : { averageMillis: cpu[0], maxMillis: cpu[1] },
    memory: memory === null ? null : { averageBytes: memory[0], maxBytes: memory[1] },
    storageBytes: step?.storage_max ?? null,
  };
}
