import { spendingLimits, subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { loadForUpdate } from "../subscriptions/index.ts";
import { applySpending } from "./apply-spending.ts";

/** How much use may cost in each period, in minor units of the subscription's currency. */
export interface SpendingLimits {
  readonly subscriptionId: string;
  readonly currency: string;
  /** A mail is sent at each; the smallest first. */
  readonly alertAmounts: readonly bigint[];
  /** The app is stopped at it; null: never. */
  readonly capMinor: bigint | null;
}

export const maxAlerts = 5;

export async function getSpendingLimits(ctx: CoreContext, subscriptionId: string): Promise<SpendingLimits> {
  authorize(ctx.actor, "usage.read");
  return ctx.transaction((tx) => readLimits(tx, subscriptionId));
}

/**
 * Says how the limits shall be, so saying it twice changes nothing. What follows from them follows at once: an app runs
 * again when its cap was raised above what was used, and stops when it was lowered to it.
 */
export async function setSpendingLimits(
  ctx: CoreContext,
  input: {
    readonly subscriptionId: string;
    readonly alertAmounts: readonly bigint[];
    readonly capMinor: bigint | null;
  },
): Promise<SpendingLimits> {
  authorize(ctx.actor, "usage.write");
  const { subscriptionId, capMinor } = input;
  const alerts = [...new Set(input.alertAmounts)].toSorted((a, b) => (a < b ? -1 : 1));
  if (alerts.length > maxAlerts || [...alerts, ...(capMinor === null ? [] : [capMinor])].some((minor) => minor <= 0n)) {
    throw new DomainError("INVALID_INPUT", `Set up to ${maxAlerts} alerts and a cap, each above zero.`);
  }
  return ctx.transaction(async (tx) => {
    const loaded = await loadForUpdate(tx, subscriptionId);
    if (loaded.subscription.status === "cancelled") {
      throw new DomainError("INVALID_TRANSITION", "The subscription is cancelled.");
    }
    const before = await readLimits(tx, subscriptionId);
    const values = { alertAmounts: alerts.map(String), capMinor };
    await tx.sql
      .insert(spendingLimits)
      .values({ organizationId: organizationOf(tx), subscriptionId, ...values })
      .onConflictDoUpdate({ target: spendingLimits.subscriptionId, set: values });
    const after = await readLimits(tx, subscriptionId);
    if (!isSame(before, after)) {
      const data = {
        alertAmounts: values.alertAmounts,
        capMinor: capMinor?.toString() ?? null,
        currency: after.currency,
      };
      record(tx, { type: "spending.limitsSet", subscriptionId, data });
    }
    await applySpending(tx, loaded, after);
    return after;
  });
}

/** NOT_FOUND for foreign and invented ids; without limits where none were set. */
export async function readLimits(tx: Tx, subscriptionId: string): Promise<SpendingLimits> {
  const [row] = await tx.sql
    .select({
      currency: subscriptions.currency,
      alertAmounts: spendingLimits.alertAmounts,
      capMinor: spendingLimits.capMinor,
    })
    .from(subscriptions)
    .leftJoin(spendingLimits, eq(spendingLimits.subscriptionId, subscriptions.id))
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)));
  if (row === undefined) throw notFound("subscription");
  const { currency, alertAmounts, capMinor } = row;
  return { subscriptionId, currency, alertAmounts: (alertAmounts ?? []).map(BigInt), capMinor };
}

function isSame(one: SpendingLimits, other: SpendingLimits): boolean {
  return one.capMinor === other.capMinor && String(one.alertAmounts) === String(other.alertAmounts);
}
