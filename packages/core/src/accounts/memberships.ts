import type { Database } from "@sewa/db";
import { members, users } from "@sewa/db/schema";
import { and, asc, eq, type SQL, sql } from "drizzle-orm";
import { userActor } from "../actor.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import type { MemberRole } from "../roles.ts";
import { insertOrganization } from "./insert-organization.ts";

/** That a user belongs to an organization, and as what. */
export interface Membership {
  readonly organizationId: string;
  readonly role: MemberRole;
}

type Sql = Pick<Database["drizzle"] | Tx["sql"], "select">;

/** For whom a user acts who names no organization: the one that they have been a member of for longest. */
export const homeFirst = [asc(members.createdAt), asc(members.organizationId)] as const;

/**
 * Joins, to a query of users, the membership in the organization that is named, or in the home where none is. The one
 * place that says whom a caller may speak for; null where it joins nothing.
 */
export function isSpokenFor(organizationId: string | null): SQL | undefined {
  const home = sql`(select h.organization_id from ${members} h where h.user_id = ${users.id}
    order by h.created_at, h.organization_id limit 1)`;
  return and(
    eq(members.userId, users.id),
    eq(members.organizationId, organizationId === null ? home : sql`${organizationId}::uuid`),
  );
}

/**
 * Where what a user does to their own account is written down. Who was removed from their last organization gets a new one
 * of their own, so that everybody always has one.
 */
export async function ensureHome(ctx: CoreContext, userId: string): Promise<Membership> {
  return (await findHome(ctx.db.drizzle, userId)) ?? (await createHome(ctx, userId));
}

/** The same context, acting as this user in their home. */
export async function bindHome(ctx: CoreContext, userId: string): Promise<CoreContext> {
  const { organizationId, role } = await ensureHome(ctx, userId);
  return ctx.as(userActor(userId, role)).forOrganization(organizationId);
}

async function findHome(database: Sql, userId: string): Promise<Membership | null> {
  const [home] = await database
    .select({ organizationId: members.organizationId, role: members.role })
    .from(members)
    .where(eq(members.userId, userId))
    .orderBy(...homeFirst)
    .limit(1);
  return home ?? null;
}

async function createHome(ctx: CoreContext, userId: string): Promise<Membership> {
  const organizationId = ctx.ids.next();
  const bound = ctx.as(userActor(userId, "owner")).forOrganization(organizationId);
  return bound.transaction(async (tx) => {
    // Of two who come at once, the second finds what the first has made.
    const [user] = await tx.sql
      .select({ name: users.name })
      .from(users)
      .where(eq(users.id, userId))
      .for("no key update");
    assert(user !== undefined, "a user who acts exists");
    const made = await findHome(tx.sql, userId);
    if (made !== null) return made;
    await insertOrganization(tx, { name: user.name, ownerId: userId });
    record(tx, { type: "organization.created", subject: { type: "organization", id: organizationId } });
    return { organizationId, role: "owner" };
  });
}
