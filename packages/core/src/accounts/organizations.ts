import { type OrganizationSettings, organizations, testClocks } from "@sewa/db/schema";
import { eq, inArray, isNull, and } from "drizzle-orm";
import { organizationOf, type CoreContext, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { localHour } from "../periods.ts";

export type { OrganizationSettings };

/** Who pays and owns. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** Its name in addresses; no two have the same. */
  readonly slug: string;
  /** IANA name; periods and reminder hours are computed in it. */
  readonly timeZone: string;
  /** Of who pays, as the tax office writes it; null where nobody has said it. */
  readonly taxId: string | null;
  /** ISO 3166 code; null where nobody has said it, and then only taxes hold that hold for all. */
  readonly country: string | null;
  readonly settings: OrganizationSettings;
}

/** What an organization is read as. */
export const organizationColumns = {
  id: organizations.id,
  name: organizations.name,
  slug: organizations.slug,
  timeZone: organizations.timeZone,
  taxId: organizations.taxId,
  country: organizations.country,
  settings: organizations.settings,
} as const;

/** The organization that the transaction is bound to. */
export async function getOrganization(tx: Tx): Promise<Organization> {
  const [row] = await tx.sql
    .select(organizationColumns)
    .from(organizations)
    .where(eq(organizations.id, organizationOf(tx)));
  assert(row !== undefined, "the organization of a transaction exists");
  return row;
}

/**
 * Makes transactions that count what the organization has wait for each other. Not the stronger lock: each of them holds a
 * key share on the row already, through the foreign key of its idempotency record, and two would wait for each other.
 */
export async function lockOrganization(tx: Tx): Promise<void> {
  refuseClosed(tx, await lockEvenClosed(tx));
}

/** The same without a word to who comes too late. Answers since when it is closed. */
export async function lockEvenClosed(tx: Tx): Promise<Date | null> {
  const [row] = await tx.sql
    .select({ closedAt: organizations.closedAt })
    .from(organizations)
    .where(eq(organizations.id, organizationOf(tx)))
    .for("no key update");
  return row?.closedAt ?? null;
}

/** Who was under way when their organization was closed begins nothing in it. NOT_FOUND, as for whoever is no member. */
export function refuseClosed(tx: Tx, closedAt: Date | null): void {
  if (closedAt !== null && tx.ctx.actor.type === "user") throw notFound("organization");
}

/**
 * Where it is this hour (0 to 23) on the wall clock right now. Organizations on a test clock are left out: their hours
 * pass when their clock is advanced.
 */
export async function listOrganizationIdsAtLocalHour(ctx: CoreContext, hour: number): Promise<readonly string[]> {
  const zones = await ctx.db.drizzle.selectDistinct({ timeZone: organizations.timeZone }).from(organizations);
  const now = ctx.clock.now();
  const due = zones.map(({ timeZone }) => timeZone).filter((timeZone) => localHour(now, timeZone) === hour);
  if (due.length === 0) return [];
  const rows = await ctx.db.drizzle
    .select({ id: organizations.id })
    .from(organizations)
    .leftJoin(testClocks, eq(testClocks.organizationId, organizations.id))
    .where(and(inArray(organizations.timeZone, due), isNull(testClocks.organizationId)))
    .orderBy(organizations.id);
  return rows.map(({ id }) => id);
}
