import { instances, offerings, organizations, plans, subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { Page } from "../pages.ts";
import type { Interval } from "../periods.ts";
import { asTheyAre, type FindOfOrganizationInput, findOn, getFrom } from "./find.ts";

type Status = typeof subscriptions.$inferSelect.status;

/** A subscription as operators see it. */
export interface SubscriptionEntry {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
  readonly instanceId: string;
  readonly instanceName: string;
  readonly offeringSlug: string;
  readonly planSlug: string;
  readonly status: Status;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly interval: Interval;
  readonly currentPeriodEnd: Date | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly createdAt: Date;
}

export interface FindSubscriptionsInput extends FindOfOrganizationInput {
  readonly status?: Status | undefined;
}

const shelf = {
  kind: "subscription",
  id: subscriptions.id,
  organizationId: subscriptions.organizationId,
  names: [organizations.name, instances.name],
  select: (tx: Tx) =>
    tx.sql
      .select({
        id: subscriptions.id,
        organizationId: subscriptions.organizationId,
        organizationName: organizations.name,
        instanceId: instances.id,
        instanceName: instances.name,
        offeringSlug: offerings.slug,
        planSlug: plans.slug,
        status: subscriptions.status,
        amountMinor: subscriptions.amountMinor,
        currency: subscriptions.currency,
        interval: subscriptions.interval,
        currentPeriodEnd: subscriptions.currentPeriodEnd,
        cancelAtPeriodEnd: subscriptions.cancelAtPeriodEnd,
        createdAt: subscriptions.createdAt,
      })
      .from(subscriptions)
      .innerJoin(organizations, eq(organizations.id, subscriptions.organizationId))
      .innerJoin(
        instances,
        and(eq(instances.organizationId, subscriptions.organizationId), eq(instances.subscriptionId, subscriptions.id)),
      )
      .innerJoin(plans, eq(plans.id, subscriptions.planId))
      .innerJoin(offerings, eq(offerings.id, plans.offeringId))
      .$dynamic(),
  complete: asTheyAre<SubscriptionEntry>,
} as const;

export function findSubscriptions(
  ctx: CoreContext,
  { status, ...input }: FindSubscriptionsInput,
): Promise<Page<SubscriptionEntry>> {
  return findOn(ctx, shelf, input, status === undefined ? undefined : eq(subscriptions.status, status));
}

export function getSubscriptionEntry(ctx: CoreContext, subscriptionId: string): Promise<SubscriptionEntry> {
  return getFrom(ctx, shelf, subscriptionId);
}
