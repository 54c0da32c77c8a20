import {
  accountDeletions,
  apiTokens,
  events,
  idempotencyRecords,
  invitations,
  members,
  notifications,
  users,
} from "@sewa/db/schema";
import { and, eq, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";
import { acrossOrganizations } from "../across.ts";
import { clearLoginAttempts, lockOrganization } from "../accounts/index.ts";
import { forgetInAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { enqueueMissing } from "../jobs/index.ts";
import { settleInvitation } from "../organizations/index.ts";

/** How much was found; for the log. */
export interface ErasedPerson {
  readonly mails: number;
  readonly invitations: number;
  readonly auditEntries: number;
}

interface Gone {
  readonly userId: string;
  readonly email: string;
  /** What stands instead of it. */
  readonly tombstone: string;
}

/**
 * Erases what is left of a deleted user beside their row: in mails, invitations, events and audit. Nothing happens the second time (null).
 * Needs the worker's role, whom no fence narrows.
 */
export async function erasePerson(ctx: CoreContext, userId: string): Promise<ErasedPerson | null> {
  const [waiting] = await ctx.db.drizzle
    .select({ userId: accountDeletions.userId, email: sql<string>`${accountDeletions.email}`, tombstone: users.email })
    .from(accountDeletions)
    .innerJoin(users, eq(users.id, accountDeletions.userId))
    .where(and(eq(accountDeletions.userId, userId), isNull(accountDeletions.erasedAt)));
  if (waiting === undefined) return null;
  await clearLoginAttempts(ctx, waiting);
  return ctx.transaction(async (tx) => {
    const [taken] = await tx.sql
      .update(accountDeletions)
      .set({ email: null, erasedAt: ctx.clock.now() })
      .where(and(eq(accountDeletions.userId, userId), isNull(accountDeletions.erasedAt)))
      .returning({ userId: accountDeletions.userId });
    return taken === undefined ? null : eraseAll(tx, waiting);
  });
}

/** Adds the job of every deletion that waits and has none. Answers how many. */
export async function sweepDeletions(ctx: CoreContext): Promise<number> {
  return enqueueMissing(
    ctx,
    "account:erase",
    sql`select ${accountDeletions.userId} as id from ${accountDeletions} where ${isNull(accountDeletions.erasedAt)}`,
  );
}

async function eraseAll(tx: Tx, gone: Gone): Promise<ErasedPerson> {
  const { userId } = gone;
  const closed = (
    await tx.sql.select({ id: members.organizationId }).from(members).where(eq(members.userId, userId))
  ).map(({ id }) => id);
  await revokePending(tx, gone);
  const invited = await tx.sql
    .update(invitations)
    .set({ email: gone.tombstone })
    .where(eq(invitations.email, gone.email))
    .returning({ id: invitations.id });
  const mails = await eraseMails(tx, gone, closed);
  await tx.sql
    .update(apiTokens)
    .set({ lastUsedAddress: null })
    .where(and(eq(apiTokens.userId, userId), isNotNull(apiTokens.lastUsedAddress)));
  await eraseClosed(tx, closed);
  const about = { invitation: invited.map(({ id }) => id) };
  const auditEntries = await forgetInAudit(tx, { userId, about, organizationIds: closed }, "The account was deleted.");
  return { mails, invitations: invited.length, auditEntries };
}

/** Nobody can answer them any more, and who opens an account with this address later was not asked. */
async function revokePending(tx: Tx, { email }: Gone): Promise<void> {
  const across = acrossOrganizations(tx);
  const pending = await tx.sql
    .select({ id: invitations.id, organizationId: invitations.organizationId, role: invitations.role })
    .from(invitations)
    .where(and(eq(invitations.email, email), eq(invitations.status, "pending")))
    .orderBy(invitations.organizationId, invitations.id);
  for (const { id, organizationId, role } of pending) {
    await across.in(organizationId, async (inner) => {
      await lockOrganization(inner);
      const [still] = await inner.sql
        .select({ id: invitations.id })
        .from(invitations)
        .where(and(eq(invitations.id, id), eq(invitations.status, "pending")));
      if (still === undefined) return;
      await settleInvitation(inner, id, { status: "revoked" });
      const subject = { type: "invitation", id };
      record(inner, { type: "invitation.revoked", subject, data: { invitationId: id, role } });
    });
  }
}

async function eraseMails(tx: Tx, { userId, email, tombstone }: Gone, closed: readonly string[]): Promise<number> {
  const status = sql`case when ${notifications.status} = 'queued' then 'failed' else ${notifications.status} end`;
  const toThem = await tx.sql
    .update(notifications)
    .set({
      status,
      lastError: null,
      data: sql`'{}'::jsonb`,
      email: sql`case when ${notifications.email} is null then null else ${tombstone} end`,
    })
    .where(
      or(
        eq(notifications.userId, userId),
        eq(notifications.email, email),
        inArray(notifications.organizationId, [...closed]),
      ),
    );
  const byThem = await tx.sql
    .update(notifications)
    .set({ data: sql`${notifications.data} - 'inviterName' - 'inviterEmail'` })
    .where(and(eq(notifications.kind, "invitation"), sql`${notifications.data} ->> 'inviterEmail' = ${email}`));
  return toThem.count + byThem.count;
}

/** What an organization was called was often its owner's name. */
async function eraseClosed(tx: Tx, organizationIds: readonly string[]): Promise<void> {
  if (organizationIds.length === 0) return;
  const ids = [...organizationIds];
  await tx.sql.delete(idempotencyRecords).where(inArray(idempotencyRecords.organizationId, ids));
  await tx.sql
    .update(events)
    .set({ data: {} })
    .where(and(inArray(events.organizationId, ids), eq(events.type, "organization.updated")));
}
