import type { Blueprint } from "@sewa/blueprint";
import type { PricedItem } from "@sewa/db/schema";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type AddonCounts, listAddons, priceAddons } from "./addons.ts";
import { checkParameters, priceParameters } from "./price-parameters.ts";
import { describePlans } from "./queries.ts";

export type { PricedItem } from "@sewa/db/schema";

/** What a period costs, in parts: the plan, each choice of parameters that has a price, and its add-ons. */
export async function priceItems(
  tx: Tx,
  input: {
    readonly planId: string;
    /** Of the plan alone. */
    readonly baseMinor: bigint;
    readonly blueprint: Blueprint;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly currency: string;
    readonly addons: AddonCounts;
    /** Items of now, whose add-ons keep their prices; none of them for another plan. */
    readonly held: readonly PricedItem[];
  },
): Promise<readonly PricedItem[]> {
  const { planId, baseMinor, blueprint, parameters, currency, addons, held } = input;
  const plan = (await describePlans(tx, [planId])).get(planId);
  assert(plan !== undefined, "plans are never deleted");
  const chosen = priceParameters(blueprint, checkParameters(blueprint, parameters), currency);
  const offered = (await listAddons(tx, [planId], currency)).get(planId) ?? [];
  return [
    toItem("plan", `${plan.offeringName}, ${plan.planName}`, baseMinor),
    ...chosen.map(({ description, money }) => toItem("parameter", description, money.amountMinor)),
    ...priceAddons(offered, addons, held),
  ];
}

export function totalOf(items: readonly PricedItem[]): bigint {
  return items.reduce((sum, { quantity, unitAmountMinor }) => sum + BigInt(quantity) * BigInt(unitAmountMinor), 0n);
}

function toItem(kind: PricedItem["kind"], description: string, amountMinor: bigint): PricedItem {
  return { kind, description, quantity: 1, unitAmountMinor: amountMinor.toString() };
}
