import { accountTokens, sessions, signInAttempts } from "@sewa/db/schema";
import { lte } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { deleteEndedAttempts } from "./attempts.ts";

export interface DeletedExpired {
  readonly sessions: number;
  readonly tokens: number;
  readonly attempts: number;
}

/** For the clean-up job: what has ended opens nothing any more and only takes room. */
export async function deleteExpiredSessionsAndTokens(ctx: CoreContext): Promise<DeletedExpired> {
  const now = ctx.clock.now();
  // Tokens first: deleting a session takes its tickets along, which would then not be counted.
  const tokens = await ctx.db.drizzle.delete(accountTokens).where(lte(accountTokens.expiresAt, now));
  const ended = await ctx.db.drizzle.delete(sessions).where(lte(sessions.expiresAt, now));
  const begun = await ctx.db.drizzle.delete(signInAttempts).where(lte(signInAttempts.expiresAt, now));
  return { sessions: ended.count, tokens: tokens.count, attempts: begun.count + (await deleteEndedAttempts(ctx)) };
}
