import { members, users } from "@sewa/db/schema";
import { and, asc, eq, gt } from "drizzle-orm";
import { authorize } from "../accounts/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { MemberRole } from "../roles.ts";
import type { MemberView } from "./member.ts";

/** By the age of their accounts. */
export async function listMembers(ctx: CoreContext, input: PageInput): Promise<Page<MemberView>> {
  authorize(ctx.actor, "member.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await selectMembers(tx, cursor === null ? undefined : gt(members.userId, cursor))
      .orderBy(asc(members.userId))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.userId]);
  });
}

/** Throws NOT_FOUND for who is no member of the transaction's organization. */
export async function getMember(tx: Tx, userId: string): Promise<MemberView> {
  const [member] = await selectMembers(tx, eq(members.userId, userId));
  if (member === undefined) throw notFound("user");
  return member;
}

/** Throws LAST_OWNER for the only one. Under `lockMembers` of accounts. */
export async function refuseLastOwner(tx: Tx, member: MemberView): Promise<void> {
  if (member.role !== "owner") return;
  const owners = await tx.sql.$count(members, and(ofOrganization(tx), eq(members.role, "owner")));
  if (owners > 1) return;
  throw new DomainError("LAST_OWNER", "An organization keeps an owner. Make somebody else one first.");
}

export async function updateRole(tx: Tx, userId: string, role: MemberRole): Promise<void> {
  await tx.sql
    .update(members)
    .set({ role })
    .where(and(ofOrganization(tx), eq(members.userId, userId)));
}

export async function deleteMember(tx: Tx, userId: string): Promise<void> {
  await tx.sql.delete(members).where(and(ofOrganization(tx), eq(members.userId, userId)));
}

function selectMembers(tx: Tx, condition: ReturnType<typeof eq> | undefined) {
  return tx.sql
    .select({
      userId: members.userId,
      name: users.name,
      email: users.email,
      role: members.role,
      joinedAt: members.createdAt,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(ofOrganization(tx), condition))
    .$dynamic();
}

function ofOrganization(tx: Tx) {
  return eq(members.organizationId, organizationOf(tx));
}
