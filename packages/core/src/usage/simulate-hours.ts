import { sql } from "drizzle-orm";
import { hourMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import type { MeasuredUsage } from "./measured-usage.ts";
import { toSample } from "./sample.ts";

const hourSeconds = hourMs / 1_000;

/**
 * Writes the hours that pass while a test clock goes from one moment to another: full ones, of what the cluster measures
 * of the organization's apps now. An app that is not wanted to run, or that the cluster does not see running, uses nothing
 * but its storage; what was not measured is a gap, as ever. Only where use has a price. An hour that is known stays as it is.
 */
export async function simulateHours(
  tx: Tx,
  { from, to, measured }: { readonly from: Date; readonly to: Date; readonly measured: readonly MeasuredUsage[] },
): Promise<void> {
  const realNow = tx.ctx.clock.now();
  const samples = measured.flatMap((one) => toSample(one, realNow) ?? []);
  const body = JSON.stringify(
    samples.map(({ instanceId, cpuMillis, memoryBytes, storageBytes }) => ({
      instance_id: instanceId,
      cpu_millis: cpuMillis,
      memory_bytes: memoryBytes,
      storage_bytes: storageBytes,
    })),
  );
  await tx.sql.execute(sql`
    insert into simulated_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds,
      memory_byte_seconds, storage_byte_seconds)
    select i.organization_id, i.id, hour_at, seen.seconds, seen.seconds * coalesce(g.cpu_millis, 0),
      seen.seconds * coalesce(g.memory_bytes, 0), ${hourSeconds}::bigint * g.storage_bytes
    from jsonb_to_recordset(${body}::jsonb) as g(instance_id uuid, cpu_millis bigint, memory_bytes bigint, storage_bytes bigint)
    join instances i on i.id = g.instance_id and i.organization_id = ${organizationOf(tx)}
    cross join lateral (
      select case when i.desired_phase = 'running' and g.cpu_millis is not null then ${hourSeconds}::bigint else 0 end as seconds
    ) seen
    cross join generate_series(date_trunc('hour', ${from.toISOString()}::timestamptz, 'UTC'),
      ${to.toISOString()}::timestamptz - interval '1 hour', interval '1 hour') hour_at
    where i.ready_at is not null and exists (
      select 1 from usage_terms t join usage_prices p on p.price_id = t.price_id where t.subscription_id = i.subscription_id)
    on conflict (instance_id, hour_at) do nothing`);
}
