import { sessions } from "@sewa/db/schema";
import { and, desc, eq, gt, lt } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import type { SessionHolder } from "./sessions.ts";

/** A session as its user may see it; nothing of it opens anything. */
export interface SessionView {
  readonly id: string;
  /** What the log-in was made with and where from, as far as that was said. */
  readonly userAgent: string | null;
  readonly clientAddress: string | null;
  readonly createdAt: Date;
  /** To a few minutes. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** Why an operator acts as the user with it; null of the user's own. */
  readonly impersonationReason: string | null;
  /** The one that asks. */
  readonly isCurrent: boolean;
}

/** The user's that live, newest first. */
export async function listSessions(ctx: CoreContext, input: SessionHolder & PageInput): Promise<Page<SessionView>> {
  authorize(ctx.actor, "account.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const rows = await ctx.transaction((tx) =>
    tx.sql
      .select({
        sessionId: sessions.id,
        id: sessions.handle,
        userAgent: sessions.userAgent,
        clientAddress: sessions.clientAddress,
        createdAt: sessions.createdAt,
        lastSeenAt: sessions.lastSeenAt,
        expiresAt: sessions.expiresAt,
        impersonationReason: sessions.impersonationReason,
      })
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, input.userId),
          gt(sessions.expiresAt, ctx.clock.now()),
          cursor === null ? undefined : lt(sessions.handle, cursor),
        ),
      )
      .orderBy(desc(sessions.handle))
      .limit(limit + 1),
  );
  const views = rows.map(({ sessionId, ...row }) => ({ ...row, isCurrent: sessionId === input.sessionId }));
  return toPage(views, limit, (view) => [view.id]);
}
