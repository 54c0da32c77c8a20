import { organizations } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { Page } from "../pages.ts";
import { asTheyAre, type FindInput, findOn, getFrom } from "./find.ts";

/** A customer as operators see it. */
export interface OrganizationEntry {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly country: string | null;
  readonly members: number;
  /** That may still run or be charged. */
  readonly liveSubscriptions: number;
  /** Its books are wrong: since when no money moves. */
  readonly parkedAt: Date | null;
  readonly isOnTestClock: boolean;
  readonly createdAt: Date;
}

const shelf = {
  kind: "organization",
  id: organizations.id,
  organizationId: null,
  names: [organizations.name],
  select: (tx: Tx) =>
    tx.sql
      .select({
        id: organizations.id,
        name: organizations.name,
        timeZone: organizations.timeZone,
        country: organizations.country,
        // Written out: of a query on one table Drizzle leaves the table's name away, inside of these too.
        members: sql<number>`(select count(*)::int from members m where m.organization_id = organizations.id)`,
        liveSubscriptions: sql<number>`(
          select count(*)::int from subscriptions s where s.organization_id = organizations.id and s.status <> 'cancelled')`,
        parkedAt: organizations.parkedAt,
        isOnTestClock: sql<boolean>`exists (select 1 from test_clocks c where c.organization_id = organizations.id)`,
        createdAt: organizations.createdAt,
      })
      .from(organizations)
      .$dynamic(),
  complete: asTheyAre<OrganizationEntry>,
} as const;

export function findOrganizations(ctx: CoreContext, input: FindInput): Promise<Page<OrganizationEntry>> {
  return findOn(ctx, shelf, input);
}

export function getOrganizationEntry(ctx: CoreContext, organizationId: string): Promise<OrganizationEntry> {
  return getFrom(ctx, shelf, organizationId);
}
