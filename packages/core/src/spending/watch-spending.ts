import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { loadForUpdate } from "../subscriptions/index.ts";
import { applySpending } from "./apply-spending.ts";
import { readLimits } from "./limits.ts";

/** Of all organizations that live in the present; or of the one of the context, on whatever clock it lives. */
export async function watchSpending(ctx: CoreContext): Promise<void> {
  const scope =
    ctx.organizationId === null
      ? sql`not exists (select 1 from test_clocks c where c.organization_id = l.organization_id)`
      : sql`l.organization_id = ${ctx.organizationId}`;
  const watched = await ctx.db.drizzle.execute<{ organization_id: string; id: string }>(sql`
    select l.organization_id, s.id from spending_limits l join subscriptions s on s.id = l.subscription_id
    where s.status in ('active', 'past_due') and ${scope} order by s.id`);
  const failures: unknown[] = [];
  for (const { organization_id: organizationId, id } of watched) {
    await ctx
      .forOrganization(organizationId)
      .transaction(async (tx) => applySpending(tx, await loadForUpdate(tx, id), await readLimits(tx, id)))
      .catch((error: unknown) => failures.push(error));
  }
  // One that fails does not keep it from the rest.
  if (failures.length > 0) throw failures[0];
}
