import { members, notifications } from "@sewa/db/schema";
import { and, asc, eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { type Locale, type Notification, parseNotification } from "./notification.ts";

export type QueueNotification = Notification & {
  /** The kind and the fact that the mail tells of, for example `app_ready:<id>`. Of the same key a second mail is never made. */
  readonly dedupeKey: string;
};

/**
 * Makes a mail due, in the transaction that makes it true: if that rolls back, nobody is told. Returns whether it is a
 * new mail; false when one about the same fact exists, whatever became of it.
 */
export async function queueNotification(
  tx: Tx,
  input: QueueNotification & { readonly userId: string },
): Promise<boolean> {
  return insertNotification(tx, input, { userId: input.userId });
}

/** The same, to an address that may have no account. */
export async function queueMailTo(
  tx: Tx,
  input: QueueNotification,
  to: { readonly email: string; readonly locale: Locale },
): Promise<boolean> {
  return insertNotification(tx, input, to);
}

async function insertNotification(
  tx: Tx,
  input: QueueNotification,
  to: { readonly userId: string } | { readonly email: string; readonly locale: Locale },
): Promise<boolean> {
  const { kind, data } = parseNotification(input.kind, input.data);
  const [row] = await tx.sql
    .insert(notifications)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      ...to,
      kind,
      dedupeKey: input.dedupeKey,
      data,
      status: "queued",
      occurredAt: tx.now,
    })
    .onConflictDoNothing()
    .returning({ id: notifications.id });
  if (row === undefined) return false;
  await enqueue(tx, "mail:send", { notificationId: row.id });
  return true;
}

/** To the owner of the transaction's organization. */
export async function notifyOwner(tx: Tx, input: QueueNotification): Promise<boolean> {
  const [owner] = await tx.sql
    .select({ userId: members.userId })
    .from(members)
    .where(and(eq(members.organizationId, organizationOf(tx)), eq(members.role, "owner")))
    .orderBy(asc(members.createdAt), asc(members.userId))
    .limit(1);
  assert(owner !== undefined, "every organization has an owner");
  return queueNotification(tx, { ...input, userId: owner.userId });
}
