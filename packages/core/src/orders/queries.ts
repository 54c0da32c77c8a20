import { orders, subscriptions } from "@sewa/db/schema";
import { and, desc, eq, lt } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notFound, unreachable } from "../errors.ts";
import type { SubscriptionStatus } from "../instances/index.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { type SubscriptionView, toSubscriptionView } from "../subscriptions/index.ts";

export type OrderRow = typeof orders.$inferSelect;
/** Derived from the subscription: an order has no life of its own. */
export type OrderStatus = "awaiting_payment" | "completed" | "cancelled";

export interface OrderView {
  readonly order: OrderRow;
  readonly status: OrderStatus;
  readonly subscription: SubscriptionView;
}

/** Newest first. */
export async function listOrders(ctx: CoreContext, input: PageInput): Promise<Page<OrderView>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select({ id: orders.id })
      .from(orders)
      .where(and(eq(orders.organizationId, organizationOf(tx)), cursor === null ? undefined : lt(orders.id, cursor)))
      .orderBy(desc(orders.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    const items: OrderView[] = [];
    for (const { id } of page.items) items.push(await toOrderView(tx, id));
    return { ...page, items };
  });
}

export async function getOrder(ctx: CoreContext, orderId: string): Promise<OrderView> {
  return ctx.transaction((tx) => toOrderView(tx, orderId));
}

export async function toOrderView(tx: Tx, orderId: string): Promise<OrderView> {
  const [row] = await tx.sql
    .select({ order: orders, status: subscriptions.status, activatedAt: subscriptions.activatedAt })
    .from(orders)
    .innerJoin(subscriptions, eq(subscriptions.id, orders.subscriptionId))
    .where(and(eq(orders.organizationId, organizationOf(tx)), eq(orders.id, orderId)));
  if (row === undefined) throw notFound("order");
  return {
    order: row.order,
    status: deriveOrderStatus(row.status, row.activatedAt !== null),
    subscription: await toSubscriptionView(tx, row.order.subscriptionId),
  };
}

export function deriveOrderStatus(subscription: SubscriptionStatus, wasActivated: boolean): OrderStatus {
  switch (subscription) {
    case "pending":
      return "awaiting_payment";
    case "active":
    case "past_due":
    case "expired":
      return "completed";
    case "cancelled":
      return wasActivated ? "completed" : "cancelled";
    default:
      return unreachable(subscription);
  }
}
