import { subscriptions } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { followUp } from "./pay-subscription.ts";

/** More steps than any subscription takes in a row: a loop beyond this is a defect of the decision. */
const maxSteps = 20;

/** Does what money and time ask for, a transaction for each step, until nothing is due. Any time, any number of times. */
export async function reconcileSubscription(
  ctx: CoreContext,
  subscriptionId: string,
): Promise<{ readonly steps: number }> {
  const [known] = await ctx.db.drizzle
    .select({ organizationId: subscriptions.organizationId })
    .from(subscriptions)
    .where(eq(subscriptions.id, subscriptionId));
  if (known === undefined) return { steps: 0 };
  const bound = ctx.forOrganization(known.organizationId);
  for (let steps = 0; steps < maxSteps; steps += 1) {
    if (!(await bound.transaction((tx) => followUp(tx, subscriptionId)))) return { steps };
  }
  throw new Error(`Broken invariant: subscription ${subscriptionId} does not come to rest`);
}
