import { sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { Locale } from "../notifications/index.ts";
import { insertOrganization } from "./insert-organization.ts";

export interface NewAccount {
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly organizationName: string;
  /** Null until an invited operator has chosen a password. */
  readonly passwordHash: string | null;
}

export interface CreatedAccount {
  readonly userId: string;
  readonly organizationId: string;
}

/**
 * A user never comes alone: with it comes the organization that owns everything, bound to the transaction in which
 * `alongside` does the rest. Null, and nothing is made, when the address is taken.
 */
export async function createAccount(
  ctx: CoreContext,
  account: NewAccount,
  alongside: (tx: Tx, created: CreatedAccount) => Promise<void>,
): Promise<CreatedAccount | null> {
  const userId = ctx.ids.next();
  const organizationId = ctx.ids.next();
  return ctx.forOrganization(organizationId).transaction(async (tx) => {
    const { email, name, locale, passwordHash } = account;
    const [user] = await tx.sql.execute<{ made: boolean }>(
      sql`select sign_up(${userId}, ${email}, ${name}, ${locale}, ${passwordHash}) as made`,
    );
    if (user?.made !== true) return null;
    await insertOrganization(tx, { name: account.organizationName, ownerId: userId });
    await alongside(tx, { userId, organizationId });
    return { userId, organizationId };
  });
}
