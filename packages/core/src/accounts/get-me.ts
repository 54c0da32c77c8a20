import { members, organizations, testClocks, users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notFound } from "../errors.ts";
import { toUserView, type UserView } from "./account.ts";
import { type Organization, organizationColumns } from "./organizations.ts";
import { authorize } from "../permissions.ts";

export interface Me {
  readonly user: UserView;
  readonly organization: Organization;
  readonly isOperator: boolean;
  /** Where the organization's test clock stands; null when it lives on real time. */
  readonly testClockNow: Date | null;
}

/** Throws NOT_FOUND for a user that does not exist. */
export async function getMe(ctx: CoreContext, userId: string): Promise<Me> {
  authorize(ctx.actor, "account.read");
  const [row] = await ctx.db.drizzle
    .select({
      id: users.id,
      email: users.email,
      name: users.name,
      locale: users.locale,
      isOperator: users.isOperator,
      emailVerifiedAt: users.emailVerifiedAt,
      organization: organizationColumns,
      testClockNow: testClocks.nowAt,
    })
    .from(users)
    .innerJoin(members, eq(members.userId, users.id))
    .innerJoin(organizations, eq(organizations.id, members.organizationId))
    .leftJoin(testClocks, eq(testClocks.organizationId, organizations.id))
    .where(eq(users.id, userId));
  if (row === undefined) throw notFound("user");
  const user = toUserView(row);
  return { user, organization: row.organization, isOperator: user.isOperator, testClockNow: row.testClockNow };
}
