import { databaseErrorOf } from "@sewa/db";
import { notifications, organizations, users } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { assert } from "../errors.ts";
import { type Locale, type Notification, parseNotification, type TokenLink } from "./notification.ts";
import { portalPathOf } from "./portal-paths.ts";
import { renderMail } from "./render-mail.ts";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** With angle brackets. The same for every try of one notification, so that a receiver can drop a duplicate. */
  readonly messageId: string;
}

/** Hands one mail to a mail server. Resolves when the server has taken it. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

export interface SendDependencies {
  readonly mailer: Mailer;
  /** Makes the link with a token, at the moment of sending. Null: what it was for is over, and nobody is told. */
  linkFor(link: TokenLink): Promise<string | null>;
}

/** `skipped`: it was sent before, given up before, has nothing to say any more, or does not exist. */
export type SendOutcome = "sent" | "skipped" | "failed";

/** A mail is given up after so many tries; with the back-off of the job queue that is several hours. */
const maxSendAttempts = 10;

const maxErrorCharacters = 300;

/**
 * Sends one mail and marks it. Throws so that the job is tried again, without addresses or tokens in the message. Once
 * the tries are used up it answers "failed" and the row says why. A crash between the mail server's yes and the mark
 * sends it twice, under the same Message-ID: never not at all.
 */
export async function sendNotification(
  ctx: CoreContext,
  notificationId: string,
  dependencies: SendDependencies,
): Promise<SendOutcome> {
  const row = await loadQueued(ctx, notificationId);
  if (row === null) return "skipped";
  if (row.isToNobody) return giveUp(ctx, notificationId);
  try {
    const notification = parseNotification(row.kind, row.data);
    const link = await linkOf(ctx, notification, row.userId, dependencies);
    if (link === null) return await giveUp(ctx, notificationId);
    const mail = renderMail(notification, { locale: row.locale, timeZone: row.timeZone, link });
    await dependencies.mailer.send({ ...mail, to: row.email, messageId: messageIdOf(ctx, notificationId) });
  } catch (error) {
    return noteFailure(ctx, notificationId, row.kind, withoutSecrets(error));
  }
  await ctx.db.drizzle
    .update(notifications)
    .set({ status: "sent", sentAt: ctx.clock.now(), attempts: sql`${notifications.attempts} + 1`, lastError: null })
    .where(eq(notifications.id, notificationId));
  return "sent";
}

async function loadQueued(ctx: CoreContext, notificationId: string) {
  const [row] = await ctx.db.drizzle
    .select({
      kind: notifications.kind,
      data: notifications.data,
      userId: notifications.userId,
      email: sql<string>`coalesce(${notifications.email}, ${users.email})`,
      isToNobody: sql<boolean>`${users.deletedAt} is not null`,
      locale: sql<Locale>`coalesce(${notifications.locale}, ${users.locale})`,
      timeZone: organizations.timeZone,
    })
    .from(notifications)
    .leftJoin(users, eq(users.id, notifications.userId))
    .innerJoin(organizations, eq(organizations.id, notifications.organizationId))
    .where(and(eq(notifications.id, notificationId), eq(notifications.status, "queued")));
  return row ?? null;
}

async function linkOf(
  ctx: CoreContext,
  notification: Notification,
  userId: string | null,
  dependencies: SendDependencies,
): Promise<string | null> {
  if (notification.kind === "verify_email" || notification.kind === "reset_password") {
    assert(userId !== null, "an account mail goes to a user");
    return dependencies.linkFor({ kind: notification.kind, userId });
  }
  if (notification.kind === "invitation") {
    return dependencies.linkFor({ kind: "invitation", invitationId: notification.data.invitationId });
  }
  const path = portalPathOf(notification);
  assert(path !== null, "a mail without a token leads to a page of the portal");
  return `${ctx.config.portalUrl}${path}`;
}

async function giveUp(ctx: CoreContext, notificationId: string): Promise<SendOutcome> {
  await ctx.db.drizzle
    .update(notifications)
    .set({ status: "failed", lastError: "What it tells of is over." })
    .where(and(eq(notifications.id, notificationId), eq(notifications.status, "queued")));
  return "skipped";
}

async function noteFailure(
  ctx: CoreContext,
  notificationId: string,
  kind: string,
  lastError: string,
): Promise<SendOutcome> {
  const [row] = await ctx.db.drizzle
    .update(notifications)
    .set({
      attempts: sql`${notifications.attempts} + 1`,
      lastError,
      status: sql`case when ${notifications.attempts} + 1 >= ${maxSendAttempts} then 'failed' else 'queued' end`,
    })
    .where(and(eq(notifications.id, notificationId), eq(notifications.status, "queued")))
    .returning({ status: notifications.status });
  // The other run of an overlapping pair has finished it.
  if (row === undefined) return "skipped";
  if (row.status === "queued") throw new Error(`The mail could not be sent: ${lastError}`);
  ctx.observer.event({ type: "notification.failed", fields: { notificationId, kind } });
  return "failed";
}

function messageIdOf(ctx: CoreContext, notificationId: string): string {
  return `<${notificationId}@${new URL(ctx.config.portalUrl).hostname}>`;
}

/**
 * Mail servers quote the recipient in their refusals, and a link with its token may stand in what they quote. What a
 * failed query says is its SQL with all parameters, so only PostgreSQL's code is kept of it.
 */
function withoutSecrets(error: unknown): string {
  const databaseError = databaseErrorOf(error);
  if (databaseError !== null) return `database error ${databaseError.code}`;
  const message = error instanceof Error ? error.message : "unknown error";
  return message
    .slice(0, maxErrorCharacters)
    .replace(/\S+@\S+/g, "[address]")
    .replace(/sewa_[a-z]_[\w-]+/g, "[token]");
}
