import { type Blueprint, describeParameters } from "@sewa/blueprint";
import {
  type Addon,
  type CoreContext,
  loadBlueprint,
  type Offering,
  type Plan,
  toPublicId,
  unitQuantityOf,
  type UsagePrice,
} from "@sewa/core";
import type { AddonDto, OfferingDetailDto, OfferingDto, PlanDetailDto, PlanDto, UsagePriceDto } from "./dto.ts";

export function toOfferingDto({ id, slug, name, summary, plans }: Offering): OfferingDto {
  return { id: toPublicId("offering", id), slug, name, summary, plans: plans.map(toPlanDto) };
}

/** With the form of each plan's parameters, which its version of the blueprint declares. */
export async function toOfferingDetailDto(ctx: CoreContext, offering: Offering): Promise<OfferingDetailDto> {
  const blueprints = await ctx.transaction((tx) =>
    Promise.all(offering.plans.map(({ blueprintVersionId }) => loadBlueprint(tx, blueprintVersionId))),
  );
  const plans = offering.plans.flatMap((plan, index) => {
    const blueprint = blueprints[index];
    return blueprint === undefined ? [] : [toPlanDetailDto(plan, blueprint)];
  });
  return { ...toOfferingDto(offering), plans };
}

function toPlanDetailDto(plan: Plan, blueprint: Blueprint): PlanDetailDto {
  return { ...toPlanDto(plan), parameters: describeParameters(blueprint) };
}

function toPlanDto({ id, slug, name, limits, interval, gracePeriodDays, pastDueDays, price, addons }: Plan): PlanDto {
  return {
    id: toPublicId("plan", id),
    slug,
    name,
    limits,
    interval,
    gracePeriodDays,
    pastDueDays,
    price: price?.money ?? null,
    usagePrices: price === null ? [] : price.usage.map((usage) => toUsagePriceDto(usage, price.money.currency)),
    addons: addons.map(toAddonDto),
    ...toIntroDto(price),
  };
}

function toAddonDto({ slug, name, addsStorageBytes, maxCount, price }: Addon): AddonDto {
  return { slug, name, addsStorageBytes, maxCount, price: price.money };
}

function toIntroDto(price: Plan["price"]): Pick<PlanDto, "setup" | "trial"> {
  if (price === null) return { setup: null, trial: null };
  const { setupMinor, trial } = price.intro;
  const { currency } = price.money;
  return {
    setup: setupMinor === 0n ? null : { amountMinor: setupMinor, currency },
    trial: trial === null ? null : { periods: trial.periods, price: { amountMinor: trial.amountMinor, currency } },
  };
}

export function toUsagePriceDto(price: UsagePrice, currency: string): UsagePriceDto {
  const { meter, label, unit, unitAmountMinor: amountMinor, perQuantity, includedQuantity } = price;
  const unitQuantity = unitQuantityOf(meter);
  return { meter, label, unit, unitQuantity, unitAmount: { amountMinor, currency }, perQuantity, includedQuantity };
}
