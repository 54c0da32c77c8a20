import {
  cancelAtPeriodEnd,
  cancelNow,
  getSubscription,
  listSubscriptions,
  renewSubscription,
  undoCancel,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { SubscriptionDto, SubscriptionPageDto } from "./dto.ts";
import {
  cancelNowInput,
  changeSubscriptionInput,
  subscriptionInput,
  subscriptionPageSchema,
  subscriptionSchema,
} from "./schema.ts";
import { toSubscriptionDto } from "./to-dto.ts";

export const subscriptionsRouter = {
  list: organizationProcedure("subscription.read")
    .input(listInput)
    .output(subscriptionPageSchema)
    .query(async ({ ctx, input }): Promise<SubscriptionPageDto> =>
      toPageDto(await listSubscriptions(coreContext(ctx), input), toSubscriptionDto),
    ),

  get: organizationProcedure("subscription.read")
    .input(subscriptionInput)
    .output(subscriptionSchema)
    .query(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await getSubscription(coreContext(ctx), uuidOf("subscription", input.subscriptionId))),
    ),

  renew: organizationProcedure("subscription.renew")
    .input(changeSubscriptionInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await renewSubscription(coreContext(ctx), withUuid(input))),
    ),

  cancelNow: organizationProcedure("subscription.cancel")
    .input(cancelNowInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await cancelNow(coreContext(ctx), withUuid(input))),
    ),

  cancelAtPeriodEnd: organizationProcedure("subscription.cancel")
    .input(changeSubscriptionInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await cancelAtPeriodEnd(coreContext(ctx), withUuid(input))),
    ),

  undoCancel: organizationProcedure("subscription.cancel")
    .input(changeSubscriptionInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await undoCancel(coreContext(ctx), withUuid(input))),
    ),
};

function withUuid<T extends { readonly subscriptionId: string }>(input: T): T {
  return { ...input, subscriptionId: uuidOf("subscription", input.subscriptionId) };
}
