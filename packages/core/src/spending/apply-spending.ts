import { listUsageCosts } from "../billing/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { notifyOwner } from "../notifications/index.ts";
import { capSubscription, type LoadedSubscription, mailFacts } from "../subscriptions/index.ts";
import type { SpendingLimits } from "./limits.ts";

/**
 * What follows from what the use of the current period costs: a mail once for each alert of each period, and the app is
 * stopped at the cap, or let go again. Any number of times. The caller has locked the subscription.
 */
export async function applySpending(tx: Tx, loaded: LoadedSubscription, limits: SpendingLimits): Promise<void> {
  const { subscription } = loaded;
  if (subscription.status !== "active" && subscription.status !== "past_due") return;
  const { currency, alertAmounts, capMinor } = limits;
  const spentMinor = [...(await listUsageCosts(tx, subscription)).values()].reduce((sum, minor) => sum + minor, 0n);
  const { id, termNumber, periodIndex, currentPeriodEnd } = subscription;
  assert(currentPeriodEnd !== null, "a running subscription has a period");
  const facts = { ...(await mailFacts(tx, subscription)), currency, endsAt: currentPeriodEnd.toISOString() };
  const tell = (kind: "usage_alert" | "usage_capped", amountMinor: bigint) =>
    notifyOwner(tx, {
      kind,
      dedupeKey: `${kind}:${id}:${termNumber}:${periodIndex}:${amountMinor}`,
      data: { ...facts, amountMinor: amountMinor.toString() },
    });
  for (const minor of alertAmounts) if (spentMinor >= minor) await tell("usage_alert", minor);
  const isCapped = capMinor !== null && spentMinor >= capMinor;
  if (isCapped) await tell("usage_capped", capMinor);
  const data = { spentMinor: spentMinor.toString(), capMinor: capMinor?.toString() ?? null, currency };
  await capSubscription(tx, loaded, { isCapped, data });
}
