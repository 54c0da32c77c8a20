import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
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

/** What the verbs of log-in need to know of a user. Never leaves this folder: it holds the password's hash. */
export interface Account {
  readonly user: UserView;
  readonly passwordHash: string | null;
  readonly suspendedAt: Date | null;
}

export async function findAccountByEmail(ctx: CoreContext, email: string): Promise<Account | null> {
  const [row] = await selectAccounts(ctx.db.drizzle).where(eq(users.email, email));
  return row === undefined ? null : toAccount(row);
}

/** The row of the user stays as it is until the transaction ends. */
export async function getAccountForShare(tx: Tx, userId: string): Promise<Account> {
  const [row] = await selectAccounts(tx.sql).where(eq(users.id, userId)).for("share");
  if (row === undefined) throw new Error("Broken invariant: the user of a session exists");
  return toAccount(row);
}

function selectAccounts(sql: Pick<CoreContext["db"]["drizzle"], "select">) {
  return sql
    .select({
      id: users.id,
      email: users.email,
      name: users.name,
      locale: users.locale,
      isOperator: users.isOperator,
      emailVerifiedAt: users.emailVerifiedAt,
      passwordHash: users.passwordHash,
      suspendedAt: users.suspendedAt,
    })
    .from(users);
}

function toAccount({ passwordHash, suspendedAt, ...user }: AccountRow): Account {
  return { user: toUserView(user), passwordHash, suspendedAt };
}

type AccountRow = Awaited<ReturnType<typeof selectAccounts>>[number];

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
