import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { enqueueMissing } from "../jobs/index.ts";
import { failOverdueOperations } from "./fail-operations.ts";

/**
 * Jobs are hints: this finds from the tables what is not as wanted, nobody works on and no job is about, and adds one.
 * In health it adds none. One that cannot be ended does not keep the others from being found; it is reported last.
 */
export async function sweepInstances(ctx: CoreContext): Promise<{ readonly failed: number; readonly readded: number }> {
  const unattended = sql`
    select i.id from instances i left join instance_leases l on l.instance_id = i.id
    where not i.is_settled and coalesce(l.leased_until < now(), true)`;
  const readded = await enqueueMissing(ctx, "instance:reconcile", unattended);
  return { failed: await failOverdueOperations(ctx), readded };
}
