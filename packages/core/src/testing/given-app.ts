import type { CoreContext } from "../context.ts";
import { provisionOnce } from "./fake-world.ts";
import { givenCustomer, givenOrder } from "./given.ts";

export interface RunningApp {
  /** Acts as the owner. */
  readonly ctx: CoreContext;
  readonly instanceId: string;
  readonly subscriptionId: string;
}

/** Another customer with an app that runs; catalog and machines are there. */
export async function givenRunningApp(
  system: CoreContext,
  options: { readonly testClock?: boolean } = {},
): Promise<RunningApp> {
  const { ctx } = await givenCustomer(system, options);
  const { subscription } = await givenOrder(ctx);
  await provisionOnce(system, subscription.instanceId);
  return { ctx, instanceId: subscription.instanceId, subscriptionId: subscription.subscription.id };
}
