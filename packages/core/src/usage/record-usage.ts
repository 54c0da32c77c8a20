import { sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { MeasuredUsage } from "./measured-usage.ts";
import { toSample, uniqueSamples, type UsageSample } from "./sample.ts";

/** Samples in one transaction. */
const batchSize = 500;

/**
 * Writes down what a cluster measured, of all organizations: one statement for a batch of samples and one for the hours
 * that they belong to. A minute that is known stays as it is, so two collectors or a replay change nothing. What is of
 * no instance of ours is left out. Returns how many samples were new.
 */
export async function recordUsage(ctx: CoreContext, measured: readonly MeasuredUsage[]): Promise<number> {
  const now = ctx.clock.now();
  const samples = uniqueSamples(measured.map((one) => toSample(one, now)).filter((sample) => sample !== null));
  let written = 0;
  for (let start = 0; start < samples.length; start += batchSize) {
    const batch = samples.slice(start, start + batchSize);
    written += await ctx.transaction(async (tx) => {
      // One writer at a time: an hour that is summed up while another transaction adds to it would miss what it adds.
      await tx.sql.execute(sql`select pg_advisory_xact_lock(hashtext('sewa:usage'))`);
      const touched = await insertSamples(tx, batch);
      await sumUpHours(tx, touched);
      return touched.length;
    });
  }
  return written;
}

/** The hour of each sample that was written. */
interface Touched extends Record<string, unknown> {
  instance_id: string;
  hour_at: string;
}

/** A minute that was known by its storage only is filled in when its pods turn out to have been measured. */
async function insertSamples(tx: Tx, samples: readonly UsageSample[]): Promise<readonly Touched[]> {
  const body = JSON.stringify(
    samples.map((sample) => ({
      instance_id: sample.instanceId,
      started_at: sample.startedAt,
      ended_at: sample.endedAt,
      cpu_millis: sample.cpuMillis,
      memory_bytes: sample.memoryBytes,
      storage_bytes: sample.storageBytes,
    })),
  );
  return tx.sql.execute<Touched>(sql`
    insert into usage_samples (organization_id, instance_id, started_at, ended_at, cpu_millis, memory_bytes, storage_bytes)
    select i.organization_id, i.id, g.started_at, g.ended_at, g.cpu_millis, g.memory_bytes, g.storage_bytes
    from jsonb_to_recordset(${body}::jsonb) as g(instance_id uuid, started_at timestamptz, ended_at timestamptz,
      cpu_millis bigint, memory_bytes bigint, storage_bytes bigint)
    join instances i on i.id = g.instance_id
    on conflict (instance_id, ended_at) do update set cpu_millis = excluded.cpu_millis, memory_bytes = excluded.memory_bytes
      where usage_samples.cpu_millis is null and excluded.cpu_millis is not null
    returning instance_id, date_trunc('hour', started_at, 'UTC')::text as hour_at`);
}

/** Always from all samples of the hour, so that it may be done any number of times. */
async function sumUpHours(tx: Tx, touched: readonly Touched[]): Promise<void> {
  if (touched.length === 0) return;
  await tx.sql.execute(sql`
    insert into usage_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds, cpu_max_millis,
      memory_byte_seconds, memory_max_bytes, storage_covered_seconds, storage_byte_seconds, storage_max_bytes)
    select s.organization_id, s.instance_id, t.hour_at,
      60 * count(s.cpu_millis), 60 * coalesce(sum(s.cpu_millis), 0), max(s.cpu_millis),
      60 * coalesce(sum(s.memory_bytes), 0), max(s.memory_bytes),
      60 * count(*), 60 * sum(s.storage_bytes), max(s.storage_bytes)
    from (
      select distinct instance_id, hour_at
      from jsonb_to_recordset(${JSON.stringify(touched)}::jsonb) as g(instance_id uuid, hour_at timestamptz)
    ) t
    join usage_samples s on s.instance_id = t.instance_id
      and s.ended_at > t.hour_at and s.ended_at <= t.hour_at + interval '1 hour'
    group by s.organization_id, s.instance_id, t.hour_at
    on conflict (instance_id, hour_at) do update set covered_seconds = excluded.covered_seconds,
      cpu_milli_seconds = excluded.cpu_milli_seconds, cpu_max_millis = excluded.cpu_max_millis,
      memory_byte_seconds = excluded.memory_byte_seconds, memory_max_bytes = excluded.memory_max_bytes,
      storage_covered_seconds = excluded.storage_covered_seconds, storage_byte_seconds = excluded.storage_byte_seconds,
      storage_max_bytes = excluded.storage_max_bytes, is_rated = false`);
}
