import { subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { lockParking, type Parking } from "../accounts/index.ts";
import { findInvoiceOfPeriod, type InvoiceRow } from "../billing/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { getInstanceOfSubscription, type InstanceRow } from "../instances/index.ts";
import { findUsageInvoice } from "./draft-invoice.ts";
import { deriveNextDueAt, nextPeriodKey, type SubscriptionFacts, type SubscriptionRow } from "./subscription.ts";

export interface LoadedSubscription {
  readonly subscription: SubscriptionRow;
  readonly nextInvoice: InvoiceRow | null;
  /** What a cancelled one still asks for. */
  readonly usageInvoice: InvoiceRow | null;
  readonly instance: InstanceRow;
  readonly parking: Parking;
}

/** Locks the row: everything that money or time does to a subscription goes through here. It is not parked meanwhile. */
export async function loadForUpdate(tx: Tx, subscriptionId: string): Promise<LoadedSubscription> {
  const parking = await lockParking(tx);
  const [subscription] = await tx.sql
    .select()
    .from(subscriptions)
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)))
    .for("update");
  if (subscription === undefined) throw notFound("subscription");
  return {
    subscription,
    nextInvoice: await findInvoiceOfPeriod(tx, { subscriptionId, ...nextPeriodKey(subscription) }),
    usageInvoice: subscription.status === "cancelled" ? await findUsageInvoice(tx, subscriptionId) : null,
    instance: await getInstanceOfSubscription(tx, subscriptionId),
    parking,
  };
}

export function factsOf({
  subscription,
  nextInvoice,
  usageInvoice,
  instance,
  parking,
}: LoadedSubscription): SubscriptionFacts {
  const status = nextInvoice?.status;
  return {
    subscription,
    nextInvoice:
      status === undefined || status === "void"
        ? null
        : { status, isBeingPaid: status === "open" && nextInvoice?.liveIntentId != null },
    usageInvoice: usageInvoice === null ? null : { isBeingPaid: usageInvoice.liveIntentId !== null },
    instance: { provisioningFailed: instance.provisioningFailedAt !== null, removed: instance.removedAt !== null },
    parking,
  };
}

/** The rules of the house may have changed since it was written; what is not due must not be found again and again. */
export async function refreshNextDueAt(tx: Tx, loaded: LoadedSubscription): Promise<void> {
  const { subscription } = loaded;
  const nextDueAt = deriveNextDueAt(factsOf(loaded), tx.ctx.config);
  if (nextDueAt?.getTime() === subscription.nextDueAt?.getTime()) return;
  await tx.sql.update(subscriptions).set({ nextDueAt }).where(eq(subscriptions.id, subscription.id));
}

/** Writes what changed and, with it, when the sweep has to look again. */
export async function updateSubscription(
  tx: Tx,
  before: SubscriptionRow,
  values: Partial<Omit<SubscriptionRow, "id" | "organizationId" | "nextDueAt">>,
): Promise<SubscriptionRow> {
  const merged = { ...before, ...values };
  const nextInvoice = await findInvoiceOfPeriod(tx, { subscriptionId: before.id, ...nextPeriodKey(merged) });
  const facts = factsOf({
    subscription: merged,
    nextInvoice,
    usageInvoice: null,
    instance: await getInstanceOfSubscription(tx, before.id),
    parking: await lockParking(tx),
  });
  const [row] = await tx.sql
    .update(subscriptions)
    .set({ ...values, nextDueAt: deriveNextDueAt(facts, tx.ctx.config) })
    .where(eq(subscriptions.id, before.id))
    .returning();
  assert(row !== undefined, "the locked subscription is still there");
  return row;
}
