import { orders, subscriptions } from "@sewa/db/schema";
import { and, desc, eq, lt, ne } from "drizzle-orm";
import { findInvoiceOfPeriod, type InvoiceRow } from "../billing/index.ts";
import { describePlans } from "../catalog/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { getInstanceOfSubscription } from "../instances/index.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { nextTermsOf } from "./terms.ts";
import { nextPeriodKey, type SubscriptionRow } from "./subscription.ts";

/** A subscription as its customer sees it. */
export interface SubscriptionView {
  readonly subscription: SubscriptionRow;
  readonly instanceId: string;
  readonly instanceName: string;
  readonly orderId: string | null;
  readonly offeringSlug: string;
  readonly offeringName: string;
  readonly planName: string;
  /** Of a change of plan that begins with the next period. */
  readonly nextPlan: { readonly id: string; readonly name: string; readonly amountMinor: bigint } | null;
  /** The live invoice for what comes next: open means that money is waited for, paid that it goes on. */
  readonly nextInvoice: Pick<InvoiceRow, "id" | "status" | "totalMinor" | "currency" | "dueAt"> | null;
}

/** Newest first. */
export async function listSubscriptions(ctx: CoreContext, input: PageInput): Promise<Page<SubscriptionView>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select({ id: subscriptions.id })
      .from(subscriptions)
      .where(
        and(
          eq(subscriptions.organizationId, organizationOf(tx)),
          cursor === null ? undefined : lt(subscriptions.id, cursor),
        ),
      )
      .orderBy(desc(subscriptions.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    const items: SubscriptionView[] = [];
    for (const { id } of page.items) items.push(await toSubscriptionView(tx, id));
    return { ...page, items };
  });
}

export async function getSubscription(ctx: CoreContext, subscriptionId: string): Promise<SubscriptionView> {
  return ctx.transaction((tx) => toSubscriptionView(tx, subscriptionId));
}

/** How many the organization has that may still run or be charged. */
export async function countLiveSubscriptions(tx: Tx): Promise<number> {
  return tx.sql.$count(
    subscriptions,
    and(eq(subscriptions.organizationId, organizationOf(tx)), ne(subscriptions.status, "cancelled")),
  );
}

/** Inside a transaction: what a verb answers with. NOT_FOUND for foreign and invented ids. */
export async function toSubscriptionView(tx: Tx, subscriptionId: string): Promise<SubscriptionView> {
  const [row] = await tx.sql
    .select({ subscription: subscriptions, orderId: orders.id })
    .from(subscriptions)
    .leftJoin(orders, eq(orders.subscriptionId, subscriptions.id))
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)));
  if (row === undefined) throw notFound("subscription");
  const { subscription, orderId } = row;
  const instance = await getInstanceOfSubscription(tx, subscriptionId);
  const terms = nextTermsOf(subscription);
  const plans = await describePlans(tx, [subscription.planId, terms.planId]);
  const [plan, nextPlan] = [plans.get(subscription.planId), plans.get(terms.planId)];
  assert(plan !== undefined && nextPlan !== undefined, "plans are never deleted");
  const next = await findInvoiceOfPeriod(tx, { subscriptionId, ...nextPeriodKey(subscription) });
  return {
    subscription,
    instanceId: instance.id,
    instanceName: instance.name,
    orderId,
    offeringSlug: plan.offeringSlug,
    offeringName: plan.offeringName,
    planName: plan.planName,
    nextPlan:
      subscription.nextTerms === null
        ? null
        : { id: terms.planId, name: nextPlan.planName, amountMinor: terms.amountMinor },
    nextInvoice:
      next === null || subscription.status === "cancelled"
        ? null
        : { id: next.id, status: next.status, totalMinor: next.totalMinor, currency: next.currency, dueAt: next.dueAt },
  };
}
