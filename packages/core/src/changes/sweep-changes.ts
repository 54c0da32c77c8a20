import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { enqueueMissing } from "../jobs/index.ts";

const isNotParked = sql`not exists (
  select 1 from organizations p where p.id = c.organization_id and p.parked_at is not null)`;

/**
 * Finds in the tables what lost jobs and time have left lying: plans that nobody made, approvals that nobody carried out,
 * what is over, what has ended in the world, and room that an app at rest holds without need. Finds only.
 * Organizations on a test clock keep what only their own time can end, and those that are parked what means money.
 */
export async function sweepChanges(ctx: CoreContext): Promise<{ readonly readded: number; readonly due: number }> {
  const now = ctx.clock.now().toISOString();
  const unseen = sql`
    select c.id from instance_changes c where c.deadline_at > ${now}::timestamptz
      and (c.status = 'planning' or c.status = 'approved' and ${isNotParked})`;
  const ended = sql`
    select distinct c.instance_id as id
    from instance_changes c
      join instances i on i.id = c.instance_id
      join subscriptions s on s.id = c.subscription_id
      left join operations o on o.id = c.operation_id
      left join invoices v on v.id = c.invoice_id
    where ${isNotParked} and (
      c.status in ('planning', 'approved') and c.deadline_at <= ${now}::timestamptz
      or c.status in ('planned', 'awaiting_payment') and c.expires_at <= ${now}::timestamptz
        and not exists (select 1 from test_clocks t where t.organization_id = c.organization_id)
      or c.status = 'awaiting_payment' and (s.status <> 'active' or v.status <> 'open')
      or c.status = 'executing' and c.kind = 'deprovision' and i.removed_at is not null
      or c.status = 'executing' and c.kind <> 'deprovision' and (o.status in ('succeeded', 'failed')
        or o.status = 'cancelled' and (i.is_settled or i.desired_phase = 'absent' or not exists (
          select 1 from operations other where other.instance_id = i.id and other.status in ('queued', 'running')))))
    union
    select i.id from subscriptions s join instances i on i.organization_id = s.organization_id and i.subscription_id = s.id
    where s.reshape_due_at <= ${now}::timestamptz and s.status = 'active' and i.ready_at is not null
    union
    select h.instance_id from capacity_holds h join instances i on i.id = h.instance_id
    where h.is_provisional and i.is_settled and not i.releases_capacity
      and h.cpu_millis >= (i.limits->>'cpuRequestMillis')::bigint and h.memory_bytes >= (i.limits->>'memoryRequestBytes')::bigint
      and not exists (select 1 from instance_changes c
        where c.instance_id = i.id and c.status in ('awaiting_payment', 'approved', 'executing'))`;
  return {
    readded: await enqueueMissing(ctx, "change:preview", unseen),
    due: await enqueueMissing(ctx, "change:reconcile", ended),
  };
}
