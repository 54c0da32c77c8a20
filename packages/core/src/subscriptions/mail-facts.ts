import type { Tx } from "../context.ts";
import { getInstanceOfSubscription } from "../instances/index.ts";
import type { SubscriptionRow } from "./subscription.ts";

/** What every mail about a subscription says. Ids for links; nothing secret. */
export async function mailFacts(
  tx: Tx,
  subscription: SubscriptionRow,
): Promise<{ readonly appName: string; readonly subscriptionId: string }> {
  const { name } = await getInstanceOfSubscription(tx, subscription.id);
  return { appName: name, subscriptionId: subscription.id };
}
