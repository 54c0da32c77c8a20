import { members, organizations, users } from "@sewa/db/schema";
import { asc, eq, inArray } from "drizzle-orm";
import { userColumns } from "../accounts/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import type { Locale } from "../notifications/index.ts";
import type { Page } from "../pages.ts";
import { type FindInput, findOn, getFrom } from "./find.ts";

/** A person as operators see them. Nothing that opens anything. */
export interface UserEntry {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly isOperator: boolean;
  readonly emailVerifiedAt: Date | null;
  readonly suspendedAt: Date | null;
  readonly createdAt: Date;
  readonly organizations: readonly { readonly id: string; readonly name: string; readonly role: string }[];
}

type UserRow = Omit<UserEntry, "organizations">;

const shelf = {
  kind: "user",
  id: users.id,
  organizationId: null,
  names: [users.email, users.name],
  select: (tx: Tx) =>
    tx.sql
      .select({ ...userColumns, suspendedAt: users.suspendedAt, createdAt: users.createdAt })
      .from(users)
      .$dynamic(),
  async complete(tx: Tx, rows: readonly UserRow[]): Promise<readonly UserEntry[]> {
    const ids = rows.map(({ id }) => id);
    const belongs = await tx.sql
      .select({ userId: members.userId, id: organizations.id, name: organizations.name, role: members.role })
      .from(members)
      .innerJoin(organizations, eq(organizations.id, members.organizationId))
      .where(inArray(members.userId, ids))
      .orderBy(asc(members.createdAt), asc(organizations.id));
    return rows.map((row) => ({
      ...row,
      organizations: belongs.flatMap(({ userId, ...rest }) => (userId === row.id ? [rest] : [])),
    }));
  },
} as const;

export function findUsers(ctx: CoreContext, input: FindInput): Promise<Page<UserEntry>> {
  return findOn(ctx, shelf, input);
}

export function getUserEntry(ctx: CoreContext, userId: string): Promise<UserEntry> {
  return getFrom(ctx, shelf, userId);
}
