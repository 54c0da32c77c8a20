import { sessions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { loggedOut } from "./logged-out.ts";
import type { SessionHolder } from "./sessions.ts";

/** For so long it counts that somebody has proved to be themselves. */
const confirmationMinutes = 15;

/**
 * Refuses with CONFIRMATION_REQUIRED what cannot be undone, unless the user has lately proved to be themselves: who sits down at a
 * machine that was left open, or has got hold of a token, has not. Throws UNAUTHORIZED for a session that has ended.
 */
export async function requireConfirmation(ctx: CoreContext, { userId, sessionId }: SessionHolder): Promise<void> {
  const [session] = await ctx.transaction((tx) =>
    tx.sql
      .select({ confirmedAt: sessions.confirmedAt })
      .from(sessions)
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId))),
  );
  if (session === undefined) throw loggedOut();
  if (confirmedUntil(session.confirmedAt) > ctx.clock.now()) return;
  throw new DomainError("CONFIRMATION_REQUIRED", "Confirm that it is you: enter your password or a code again.");
}

/** Answers until when. */
export async function markConfirmed(tx: Tx, sessionId: string): Promise<Date> {
  const confirmedAt = tx.ctx.clock.now();
  await tx.sql.update(sessions).set({ confirmedAt }).where(eq(sessions.id, sessionId));
  return confirmedUntil(confirmedAt);
}

function confirmedUntil(confirmedAt: Date): Date {
  return addMs(confirmedAt, confirmationMinutes * minuteMs);
}
