import { signIn, users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { door } from "./sign-in.ts";
import { loggedOut } from "./logged-out.ts";
import type { CoreContext, Tx } from "../context.ts";
import type { Locale } from "../notifications/index.ts";

/** A user as others may see it. */
export interface UserView {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly isOperator: boolean;
  readonly isEmailVerified: boolean;
}

/** What `toUserView` makes a view of. */
export const userColumns = {
  id: users.id,
  email: users.email,
  name: users.name,
  locale: users.locale,
  isOperator: users.isOperator,
  emailVerifiedAt: users.emailVerifiedAt,
};

/** The same, as the door of sign-in answers it. */
export const doorUserColumns = {
  id: signIn.userId,
  email: signIn.email,
  name: signIn.name,
  locale: signIn.locale,
  isOperator: signIn.isOperator,
  emailVerifiedAt: signIn.emailVerifiedAt,
};

/** What the verbs of log-in need to know of a user. Never leaves this folder: it holds the password's hash. */
export interface Account {
  readonly user: UserView;
  readonly passwordHash: string | null;
  readonly suspendedAt: Date | null;
}

/** Through the door of sign-in, where no organization is known yet. */
export async function findAccountByEmail(ctx: CoreContext, email: string): Promise<Account | null> {
  const [row] = await ctx.db.drizzle
    .select({ ...doorUserColumns, passwordHash: signIn.passwordHash, suspendedAt: signIn.suspendedAt })
    .from(door(sql`sign_in_by_email(${email})`));
  return row === undefined ? null : toAccount(row);
}

/** The row of the user stays as it is until the transaction ends. Throws UNAUTHORIZED for who has deleted their account meanwhile. */
export async function getAccountForShare(tx: Tx, userId: string): Promise<Account> {
  const [row] = await selectAccounts(tx.sql).where(eq(users.id, userId)).for("share");
  if (row === undefined) throw loggedOut();
  return toAccount(row);
}

/** The same, kept from everybody who changes what the user logs in with. */
export async function lockAccount(tx: Tx, userId: string): Promise<Account> {
  const [row] = await selectAccounts(tx.sql).where(eq(users.id, userId)).for("no key update");
  if (row === undefined) throw loggedOut();
  return toAccount(row);
}

function selectAccounts(sql: Pick<CoreContext["db"]["drizzle"], "select">) {
  return sql.select({ ...userColumns, passwordHash: users.passwordHash, suspendedAt: users.suspendedAt }).from(users);
}

function toAccount(row: Omit<Account, "user"> & Parameters<typeof toUserView>[0]): Account {
  const { passwordHash, suspendedAt } = row;
  return { user: toUserView(row), passwordHash, suspendedAt };
}

export function toUserView(row: {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly isOperator: boolean;
  readonly emailVerifiedAt: Date | null;
}): UserView {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    locale: row.locale,
    isOperator: row.isOperator,
    isEmailVerified: row.emailVerifiedAt !== null,
  };
}
