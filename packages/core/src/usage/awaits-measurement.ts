import { sql } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import type { MeasuredUsage } from "./measured-usage.ts";

/** A cluster measures in rounds: an app that has come up later than this may not have been in one. What is not measured by then is a gap. */
const firstRoundsMs = 2 * minuteMs;

/**
 * Whether an app whose use has a price came up so lately that its cluster may not have measured it yet. In real time, in which
 * clusters live. Asked before time moves on a test clock: hours without a measurement would be charged to nobody.
 */
export async function awaitsMeasurement(tx: Tx, measured: readonly MeasuredUsage[]): Promise<boolean> {
  const since = addMs(tx.ctx.clock.now(), -firstRoundsMs);
  const seen = measured.filter(({ workloads }) => workloads.length > 0).map(({ instanceId }) => instanceId);
  const rows = await tx.sql.execute(sql`
    select 1 from instances i
    where i.organization_id = ${organizationOf(tx)} and i.desired_phase = 'running' and i.ready_at is not null
      and i.removed_at is null and not (${JSON.stringify(seen)}::jsonb ? i.id::text)
      and exists (select 1 from operations o where o.organization_id = i.organization_id and o.instance_id = i.id
        and o.finished_at > ${since.toISOString()}::timestamptz)
      and exists (select 1 from usage_terms t join usage_prices p on p.price_id = t.price_id
        where t.subscription_id = i.subscription_id)
    limit 1`);
  return rows.length > 0;
}
