import { identities, users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { notifyUser } from "../events/index.ts";
import { dropTokens } from "./account-tokens.ts";
import { endSessions } from "./sessions.ts";

/** After a mailed link: the new password holds, the address is proven, and every session of the old password ends. */
export async function setPassword(
  tx: Tx,
  userId: string,
  change: { readonly passwordHash: string; readonly name?: string; readonly isOperator?: true },
): Promise<void> {
  const passwordSetAt = tx.ctx.clock.now();
  const now = passwordSetAt.toISOString();
  await tx.sql
    .update(users)
    .set({ ...change, passwordSetAt, emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, ${now}::timestamptz)` })
    .where(eq(users.id, userId));
  // What is under way by a provider ends as well; and who becomes an operator keeps no way in that a stranger may have opened.
  await dropTokens(tx, "sign_in_step", userId);
  if (change.isOperator === true) await tx.sql.delete(identities).where(eq(identities.userId, userId));
  await endSessions(tx, userId);
  notifyUser(tx, userId);
}
