import { type SQL, sql } from "drizzle-orm";
import { secondMs } from "../clock.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { getInstanceRow } from "../instances/index.ts";
import { authorize } from "../permissions.ts";
import {
  type MeasuredStep,
  type MetricPoint,
  type MetricRange,
  metricRanges,
  metricWindow,
  toPoints,
} from "./metrics.ts";

export interface InstanceMetrics {
  readonly range: MetricRange;
  readonly stepSeconds: number;
  readonly from: Date;
  readonly to: Date;
  /** What its plan allows: the ceiling of a chart. */
  readonly limits: { readonly cpuMillis: number; readonly memoryBytes: number; readonly storageBytes: number };
  /** Oldest first, one for each step of the range. */
  readonly points: readonly MetricPoint[];
}

/** What an app used of processor, memory and disk. Real time, also where the organization lives on a test clock. */
export async function getInstanceMetrics(
  ctx: CoreContext,
  input: { readonly instanceId: string; readonly range: MetricRange },
): Promise<InstanceMetrics> {
  authorize(ctx.actor, "instance.read");
  const { instanceId, range } = input;
  const { from, to } = metricWindow(range, ctx.clock.now());
  const { stepMs, source } = metricRanges[range];
  const stepSeconds = stepMs / secondMs;
  return ctx.transaction(async (tx) => {
    const { limits } = await getInstanceRow(tx, instanceId);
    const steps = await tx.sql.execute<MeasuredStep>(
      queries[source]({ organizationId: organizationOf(tx), instanceId, from, to, stepSeconds }),
    );
    return {
      range,
      stepSeconds,
      from,
      to,
      limits: {
        cpuMillis: limits.cpuLimitMillis,
        memoryBytes: limits.memoryLimitBytes,
        storageBytes: limits.storageBytes,
      },
      points: toPoints(range, from, steps),
    };
  });
}

interface Wanted {
  readonly organizationId: string;
  readonly instanceId: string;
  readonly from: Date;
  readonly to: Date;
  readonly stepSeconds: number;
}

// Double precision comes back as a number, and holds every whole number of bytes that a machine has.
const queries = {
  samples: (wanted) => sql`
    select ${stepOf(sql`started_at`, wanted)} as start,
      round(avg(cpu_millis))::float8 as cpu_average, max(cpu_millis)::float8 as cpu_max,
      round(avg(memory_bytes))::float8 as memory_average, max(memory_bytes)::float8 as memory_max,
      max(storage_bytes)::float8 as storage_max
    from usage_samples
    where organization_id = ${wanted.organizationId} and instance_id = ${wanted.instanceId}
      and ended_at > ${wanted.from.toISOString()}::timestamptz and ended_at <= ${wanted.to.toISOString()}::timestamptz
    group by 1`,
  // Weighed by what was measured of each hour.
  hours: (wanted) => sql`
    select ${stepOf(sql`hour_at`, wanted)} as start,
      round(sum(cpu_milli_seconds) / nullif(sum(covered_seconds), 0))::float8 as cpu_average,
      max(cpu_max_millis)::float8 as cpu_max,
      round(sum(memory_byte_seconds) / nullif(sum(covered_seconds), 0))::float8 as memory_average,
      max(memory_max_bytes)::float8 as memory_max, max(storage_max_bytes)::float8 as storage_max
    from usage_hours
    where organization_id = ${wanted.organizationId} and instance_id = ${wanted.instanceId}
      and hour_at >= ${wanted.from.toISOString()}::timestamptz and hour_at < ${wanted.to.toISOString()}::timestamptz
    group by 1`,
} as const satisfies Record<string, (wanted: Wanted) => SQL>;

function stepOf(column: SQL, { stepSeconds }: Wanted): SQL {
  return sql`(floor(extract(epoch from ${column}) / ${stepSeconds}::int) * ${stepSeconds}::int)::float8`;
}
