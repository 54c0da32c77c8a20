import type { PlanLimits } from "@sewa/blueprint";
import {
  type AddonCounts,
  addonStorageBytes,
  getPlanTerms,
  listAddons,
  mergeAddons,
  type Plan,
} from "../catalog/index.ts";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import type { InstanceShape } from "../instances/index.ts";
import { canonicalJson } from "../json.ts";
import type { ChangeRequest } from "./change.ts";
import type { LockedApp } from "./lock-change.ts";

type AddonRequest = Extract<ChangeRequest, { kind: "update" }> & { readonly addons: AddonCounts };

export function asksForAddons(request: ChangeRequest): request is AddonRequest {
  return request.kind === "update" && Object.keys(request.addons ?? {}).length > 0;
}

/**
 * More add-ons, of the plan that the app has. By themselves: storage that has grown stays when a change is put back and its money
 * returned, so parameters with which an app does not come up must not be a way to it.
 */
export async function prepareAddons(
  tx: Tx,
  { instance, subscription }: LockedApp,
  { parameters, addons: given }: AddonRequest,
): Promise<Pick<InstanceShape, "addons" | "limits">> {
  if (Object.keys(parameters).length > 0) {
    const message = "Change parameters and add-ons one after the other.";
    throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "addons", message }] });
  }
  const { planId } = instance;
  if (planId !== subscription.planId) throw refuse("Another plan has begun, and the app has yet to follow.");
  const offered = (await listAddons(tx, [planId], subscription.currency)).get(planId) ?? [];
  const addons = mergeAddons(offered, instance.addons, given);
  if (canonicalJson(addons) === canonicalJson(instance.addons)) throw refuse("There is nothing to change.");
  const { storageBytes } = await withAddons(tx, { planId, addons }, (await getPlanTerms(tx, planId)).limits);
  // Its volume is of a larger plan, or of a change that was put back. Nothing is charged for what is there already.
  if (storageBytes <= instance.limits.storageBytes) throw refuse("The app has that much storage already.");
  return { addons, limits: { ...instance.limits, storageBytes } };
}

/** What a plan grants, together with add-ons of it. */
export async function withAddons(
  tx: Tx,
  { planId, addons }: Pick<InstanceShape, "planId" | "addons">,
  limits: PlanLimits,
): Promise<PlanLimits> {
  return { ...limits, storageBytes: limits.storageBytes + (await addonStorageBytes(tx, planId, addons)) };
}

/** Add-ons come along to another plan that offers them. What it does not offer is not dropped, so that plan cannot be had. */
export function refuseLostAddons(held: AddonCounts, { addons }: Plan): void {
  for (const [slug, count] of Object.entries(held)) {
    const addon = addons.find((known) => known.slug === slug);
    if (addon !== undefined && count <= addon.maxCount) continue;
    const words =
      addon === undefined ? `does not have the add-on ${slug}` : `has ${slug} ${addon.maxCount} times at most`;
    throw new DomainError("PLAN_UNAVAILABLE", `This plan ${words}, and the app has it ${count} times.`);
  }
}

function refuse(message: string): DomainError {
  return new DomainError("INVALID_TRANSITION", message);
}
