import { databaseErrorOf } from "@sewa/db";
import { impersonations, sessions, signIn } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import { addMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { queueNotification } from "../notifications/index.ts";
import { authorize } from "../permissions.ts";
import { type Account, lockAccount } from "./account.ts";
import { takeAttempts } from "./attempts.ts";
import { loggedOut } from "./logged-out.ts";
import { findRole } from "./memberships.ts";
import { getOrganization } from "./organizations.ts";
import { requireOrganization } from "./require-organization.ts";
import { type Device, newSessionToken, type SessionHolder } from "./sessions.ts";
import { door } from "./sign-in.ts";

/** An operator acts as a customer for an hour at most. */
export const maxImpersonationMinutes = 60;

export interface Impersonate extends Device {
  readonly userId: string;
  readonly organizationId: string;
  /** 10 to 500 characters; the user is told. */
  readonly reason: string;
  readonly minutes: number;
  /** The operator's own session: this one does not outlive it. */
  readonly holder: SessionHolder;
}

export interface StartedImpersonation {
  /** Given out this one time. */
  readonly token: string;
  /** The handle of the session, as the user sees it. */
  readonly id: string;
  readonly endsAt: Date;
}

/**
 * Begins a session in which an operator acts as a user, in one organization, as far as `impersonable` goes. The user is told by mail
 * and by an event, and can end it. Throws NOT_FOUND for who is no member there, FORBIDDEN for an operator, CONFLICT for a suspended user,
 * RATE_LIMITED, and UNAUTHORIZED when the operator's session has ended.
 */
export async function impersonate(ctx: CoreContext, input: Impersonate): Promise<StartedImpersonation> {
  authorize(ctx.actor, "admin.users.impersonate");
  // The command line has no session that could end.
  if (ctx.actor.type !== "operator") throw new DomainError("FORBIDDEN", "Log in as an operator.");
  const operatorId = ctx.actor.userId;
  await takeAttempts(ctx, [{ limit: "impersonation.operator", of: [operatorId] }]);
  const bound = ctx.forOrganization(input.organizationId);
  await requireOrganization(bound);
  try {
    return await bound.transaction((tx) => begin(tx, operatorId, input));
  } catch (error) {
    // The operator's session ended while this one was begun.
    if (databaseErrorOf(error)?.constraint === "sessions_operator_session_id_sessions_id_fk") throw loggedOut();
    throw error;
  }
}

/** Ends all sessions in which operators act as this user in this organization. Answers how many. */
export async function endImpersonation(
  ctx: CoreContext,
  { userId, organizationId }: Pick<Impersonate, "userId" | "organizationId">,
): Promise<number> {
  authorize(ctx.actor, "admin.users.impersonate");
  const bound = ctx.forOrganization(organizationId);
  await requireOrganization(bound);
  return bound.transaction(async (tx) => {
    await getMember(tx, userId);
    const ended = await tx.sql
      .delete(sessions)
      .where(and(eq(sessions.userId, userId), eq(sessions.spokenForId, organizationId)));
    notifyUser(tx, userId);
    return ended.count;
  });
}

async function begin(tx: Tx, operatorId: string, input: Impersonate): Promise<StartedImpersonation> {
  const { userId, reason, minutes, holder } = input;
  const organizationId = organizationOf(tx);
  refuseAccount(await getMember(tx, userId));
  const now = tx.ctx.clock.now();
  const wanted = addMs(now, minutes * minuteMs);
  const ownEnd = await endOfOwnSession(tx, holder);
  const endsAt = ownEnd < wanted ? ownEnd : wanted;
  if (endsAt <= now) throw loggedOut();
  const { token, sessionId } = newSessionToken();
  const id = tx.ctx.ids.next();
  await tx.sql.insert(sessions).values({
    id: sessionId,
    userId,
    handle: id,
    expiresAt: endsAt,
    absoluteExpiresAt: endsAt,
    lastSeenAt: now,
    // The user has proved nothing with it.
    confirmedAt: new Date(0),
    operatorId,
    operatorSessionId: holder.sessionId,
    spokenForId: organizationId,
    impersonationReason: reason,
  });
  await tx.sql
    .insert(impersonations)
    .values({ id, organizationId, userId, operatorId, reason, startedAt: now, endsAt });
  await tell(tx, { id, userId, reason, until: endsAt.toISOString() });
  return { token, id, endsAt };
}

/** The user by an event and a mail, the house by its audit. */
async function tell(
  tx: Tx,
  {
    id,
    userId,
    reason,
    until,
  }: { readonly id: string; readonly until: string } & Pick<Impersonate, "userId" | "reason">,
): Promise<void> {
  const subject = { type: "user", id: userId };
  record(tx, { type: "user.impersonationBegan", subject, data: { userId, reason, until }, reason });
  const after = { organizationId: organizationOf(tx), until };
  writeOperatorAudit(tx, { action: "user.impersonationBegan", subject, after, reason });
  const { name: organizationName } = await getOrganization(tx);
  await queueNotification(tx, {
    kind: "impersonation_began",
    userId,
    dedupeKey: `impersonation_began:${id}`,
    data: { organizationName, reason, until },
  });
}

async function getMember(tx: Tx, userId: string): Promise<Account> {
  if ((await findRole(tx, userId)) === null) throw notFound("user");
  return lockAccount(tx, userId);
}

function refuseAccount({ user, suspendedAt }: Account): void {
  if (user.isOperator) throw new DomainError("FORBIDDEN", "Nobody acts as an operator.");
  if (suspendedAt !== null) throw new DomainError("CONFLICT", "This user is suspended.");
}

/** Through the door: the operator need not belong to the organization. Throws UNAUTHORIZED. */
async function endOfOwnSession(tx: Tx, { userId, sessionId }: SessionHolder): Promise<Date> {
  const [own] = await tx.sql
    .select({ userId: signIn.userId, expiresAt: signIn.expiresAt, operatorId: signIn.operatorId })
    .from(door(sql`sign_in_by_session(${sessionId}, null)`));
  if (own === undefined) throw loggedOut();
  assert(own.userId === userId && own.operatorId === null, "the session is the operator's own");
  return own.expiresAt;
}
