import { members, organizations, testClocks, users } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { toUserView, userColumns, type UserView } from "./account.ts";
import { type Organization, organizationColumns } from "./organizations.ts";
import { authorize } from "../permissions.ts";
import type { MemberRole } from "../roles.ts";

export interface Me {
  readonly user: UserView;
  /** That they act for, and as what. */
  readonly organization: Organization;
  readonly role: MemberRole;
  readonly isOperator: boolean;
  /** Where the organization's test clock stands; null when it lives on real time. */
  readonly testClockNow: Date | null;
}

/** In the organization that the context is bound to. Throws NOT_FOUND for who is no member of it. */
export async function getMe(ctx: CoreContext, userId: string): Promise<Me> {
  authorize(ctx.actor, "organization.read");
  assert(ctx.organizationId !== null, "whoever is logged in acts for an organization");
  const [row] = await ctx.transaction((tx) =>
    tx.sql
      .select({
        ...userColumns,
        organization: organizationColumns,
        role: members.role,
        testClockNow: testClocks.nowAt,
      })
      .from(users)
      .innerJoin(members, eq(members.userId, users.id))
      .innerJoin(organizations, eq(organizations.id, members.organizationId))
      .leftJoin(testClocks, eq(testClocks.organizationId, organizations.id))
      .where(and(eq(users.id, userId), eq(organizations.id, organizationOf(tx)))),
  );
  if (row === undefined) throw notFound("user");
  const user = toUserView(row);
  const { organization, role, testClockNow } = row;
  return { user, organization, role, isOperator: user.isOperator, testClockNow };
}
