import { getCurrentUsage, getSpendingLimits, getUsageHistory, setSpendingLimits } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { subscriptionInput } from "../subscriptions/schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { CurrentUsageDto, SpendingLimitsDto, UsageHistoryDto } from "./dto.ts";
import {
  currentUsageSchema,
  setLimitsInput,
  spendingLimitsSchema,
  usageHistoryInput,
  usageHistorySchema,
} from "./schema.ts";
import { toCurrentUsageDto, toSpendingLimitsDto, toUsageHistoryDto } from "./to-dto.ts";

export const usageRouter = {
  current: organizationProcedure("usage.read")
    .input(subscriptionInput)
    .output(currentUsageSchema)
    .query(async ({ ctx, input }): Promise<CurrentUsageDto> =>
      toCurrentUsageDto(await getCurrentUsage(coreContext(ctx), uuidOf("subscription", input.subscriptionId))),
    ),

  history: organizationProcedure("usage.read")
    .input(usageHistoryInput)
    .output(usageHistorySchema)
    .query(async ({ ctx, input: { subscriptionId, ...range } }): Promise<UsageHistoryDto> =>
      toUsageHistoryDto(
        await getUsageHistory(coreContext(ctx), { subscriptionId: uuidOf("subscription", subscriptionId), ...range }),
      ),
    ),

  limits: organizationProcedure("usage.read")
    .input(subscriptionInput)
    .output(spendingLimitsSchema)
    .query(async ({ ctx, input }): Promise<SpendingLimitsDto> =>
      toSpendingLimitsDto(await getSpendingLimits(coreContext(ctx), uuidOf("subscription", input.subscriptionId))),
    ),

  setLimits: organizationProcedure("usage.write")
    .input(setLimitsInput)
    .output(spendingLimitsSchema)
    .mutation(
      async ({ ctx, input: { subscriptionId, alertAmounts = [], capMinor = null } }): Promise<SpendingLimitsDto> =>
        toSpendingLimitsDto(
          await setSpendingLimits(coreContext(ctx), {
            subscriptionId: uuidOf("subscription", subscriptionId),
            alertAmounts,
            capMinor,
          }),
        ),
    ),
};
