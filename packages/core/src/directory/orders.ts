import { offerings, orders, organizations, plans } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { Page } from "../pages.ts";
import { asTheyAre, type FindOfOrganizationInput, findOn, getFrom } from "./find.ts";

/** An order as operators see it. */
export interface OrderEntry {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
  readonly subscriptionId: string;
  readonly offeringSlug: string;
  readonly planSlug: string;
  /** With its taxes, in minor units of the currency. */
  readonly totalMinor: bigint;
  readonly currency: string;
  readonly placedBy: string;
  readonly placedAt: Date;
}

const shelf = {
  kind: "order",
  id: orders.id,
  organizationId: orders.organizationId,
  names: [organizations.name],
  select: (tx: Tx) =>
    tx.sql
      .select({
        id: orders.id,
        organizationId: orders.organizationId,
        organizationName: organizations.name,
        subscriptionId: orders.subscriptionId,
        offeringSlug: offerings.slug,
        planSlug: plans.slug,
        totalMinor: orders.totalMinor,
        currency: orders.currency,
        placedBy: orders.placedBy,
        placedAt: orders.placedAt,
      })
      .from(orders)
      .innerJoin(organizations, eq(organizations.id, orders.organizationId))
      .innerJoin(plans, eq(plans.id, orders.planId))
      .innerJoin(offerings, eq(offerings.id, plans.offeringId))
      .$dynamic(),
  complete: asTheyAre<OrderEntry>,
} as const;

export function findOrders(ctx: CoreContext, input: FindOfOrganizationInput): Promise<Page<OrderEntry>> {
  return findOn(ctx, shelf, input);
}

export function getOrderEntry(ctx: CoreContext, orderId: string): Promise<OrderEntry> {
  return getFrom(ctx, shelf, orderId);
}
