import type { Database } from "@sewa/db";
import { belonging, members } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import { userActor } from "../actor.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import type { MemberRole } from "../roles.ts";
import { insertOrganization } from "./insert-organization.ts";
import { loggedOut } from "./logged-out.ts";
import { lockOrganization } from "./organizations.ts";
import { door } from "./sign-in.ts";

/** That a user belongs to an organization, and as what. */
export interface Membership {
  readonly organizationId: string;
  readonly role: MemberRole;
}

type Sql = Pick<Database["drizzle"] | Tx["sql"], "select">;

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

/** For whom a user acts who names no organization: the one that they have been a member of for longest. */
async function findHome(database: Sql, userId: string): Promise<Membership | null> {
  const [home] = await database
    .select({ organizationId: belonging.organizationId, role: belonging.role })
    .from(door(sql`home_of(${userId})`, "belonging"));
  return home ?? null;
}

/** As what a user belongs to the transaction's organization; null when they do not. */
export async function findRole(tx: Tx, userId: string): Promise<MemberRole | null> {
  const [member] = await tx.sql
    .select({ role: members.role })
    .from(members)
    .where(and(eq(members.organizationId, organizationOf(tx)), eq(members.userId, userId)));
  return member?.role ?? null;
}

/**
 * Locks who belongs to the organization, and answers the role that the actor has now: what was true when the call was let in
 * may have been taken back meanwhile. Throws FORBIDDEN when it is gone; the system may what an owner may.
 */
export async function lockMembers(tx: Tx): Promise<MemberRole> {
  await lockOrganization(tx);
  const { actor } = tx.ctx;
  if (actor.type === "system") return "owner";
  const role = actor.type === "user" ? await findRole(tx, actor.userId) : null;
  if (role === null) throw new DomainError("FORBIDDEN", "You may not do this.");
  return role;
}

/**
 * Of who makes an organization: one after the other, also in different ones. How many they own already. Throws
 * UNAUTHORIZED for who has deleted their account meanwhile.
 */
export async function lockFounder(
  tx: Tx,
  userId: string,
): Promise<{ readonly name: string; readonly ownedOrganizations: number }> {
  const [founder] = await tx.sql.execute<{ name: string; owned: number }>(sql`select * from lock_founder(${userId})`);
  if (founder === undefined) throw loggedOut();
  return { name: founder.name, ownedOrganizations: founder.owned };
}

async function createHome(ctx: CoreContext, userId: string): Promise<Membership> {
  const organizationId = ctx.ids.next();
  const bound = ctx.as(userActor(userId, "owner")).forOrganization(organizationId);
  return bound.transaction(async (tx) => {
    // Of two who come at once, the second finds what the first has made.
    const { name } = await lockFounder(tx, userId);
    const made = await findHome(tx.sql, userId);
    if (made !== null) return made;
    await insertOrganization(tx, { name, ownerId: userId });
    record(tx, { type: "organization.created", subject: { type: "organization", id: organizationId } });
    return { organizationId, role: "owner" };
  });
}
