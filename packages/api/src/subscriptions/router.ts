import {
  cancelAtPeriodEnd,
  cancelNow,
  changePlan,
  getSubscription,
  listSubscriptions,
  previewPlanChange,
  renewSubscription,
  undoCancel,
  undoPlanChange,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { confirmed, organizationProcedure } from "../trpc.ts";
import type { PlanChangePreviewDto, SubscriptionDto, SubscriptionPageDto } from "./dto.ts";
import {
  cancelNowInput,
  changePlanInput,
  changeSubscriptionInput,
  planChangePreviewSchema,
  previewChangeInput,
  subscriptionInput,
  subscriptionPageSchema,
  subscriptionSchema,
} from "./schema.ts";
import { toPlanChangePreviewDto, toSubscriptionDto } from "./to-dto.ts";

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

  cancelNow: confirmed(organizationProcedure("subscription.cancel"))
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

  previewChange: organizationProcedure("subscription.read")
    .input(previewChangeInput)
    .output(planChangePreviewSchema)
    .query(async ({ ctx, input }): Promise<PlanChangePreviewDto> =>
      toPlanChangePreviewDto(await previewPlanChange(coreContext(ctx), withPlan(input))),
    ),

  changePlan: organizationProcedure("instance.change")
    .input(changePlanInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await changePlan(coreContext(ctx), withPlan(input))),
    ),

  undoPlanChange: organizationProcedure("instance.change")
    .input(changeSubscriptionInput)
    .output(subscriptionSchema)
    .mutation(async ({ ctx, input }): Promise<SubscriptionDto> =>
      toSubscriptionDto(await undoPlanChange(coreContext(ctx), withUuid(input))),
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

function withPlan<T extends { readonly subscriptionId: string; readonly planId: string }>(input: T): T {
  return { ...withUuid(input), planId: uuidOf("plan", input.planId) };
}
