import { sql } from "drizzle-orm";
import { addMs, secondMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { enqueueMissing } from "../jobs/index.ts";
import { failOverdueOperations } from "./fail-operations.ts";

/**
 * Jobs are hints: this finds from the tables what is not as wanted, nobody works on and no job is about, and adds one.
 * In health it adds none. One that cannot be ended does not keep the others from being found; it is reported last.
 *
 * What is as wanted is looked at again too, once in `resyncSeconds`: not every change of the world is told.
 */
export async function sweepInstances(
  ctx: CoreContext,
  { resyncSeconds }: { readonly resyncSeconds: number },
): Promise<{ readonly failed: number; readonly readded: number; readonly resynced: number }> {
  const unattended = sql`
    select i.id from instances i left join instance_leases l on l.instance_id = i.id
    where not i.is_settled and coalesce(l.leased_until < now(), true)`;
  const readded = await enqueueMissing(ctx, "instance:reconcile", unattended);
  const unseen = sql`
    select id from instances where is_settled and desired_phase <> 'absent'
      and observed_at < ${addMs(ctx.clock.now(), -resyncSeconds * secondMs).toISOString()}::timestamptz`;
  const resynced = await enqueueMissing(ctx, "instance:reconcile", unseen);
  return { failed: await failOverdueOperations(ctx), readded, resynced };
}
