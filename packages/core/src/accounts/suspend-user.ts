import { users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { lockAccount } from "./account.ts";
import { normalizeEmail } from "./input.ts";
import { ensureHome } from "./memberships.ts";
import { endSessions } from "./sessions.ts";

export interface SuspendUser {
  readonly userId: string;
  /** For the audit; the user is not told. */
  readonly reason: string;
}

export interface Suspension {
  readonly userId: string;
  readonly suspendedAt: Date | null;
}

/**
 * Keeps a user out: their sessions end, with their sockets, and no log-in begins another one. What they rent runs on. Throws NOT_FOUND,
 * and CONFLICT for oneself and for the last operator who may work.
 */
export async function suspendUser(ctx: CoreContext, input: SuspendUser): Promise<Suspension> {
  const { actor } = ctx;
  authorize(actor, "admin.users.suspend");
  if (actor.type === "operator" && actor.userId === input.userId)
    throw new DomainError("CONFLICT", "You cannot suspend yourself.");
  return inHome(ctx, input.userId, async (tx) => {
    await refuseLastOperator(tx, input.userId);
    const { suspendedAt: since } = await lockAccount(tx, input.userId);
    if (since !== null) return { userId: input.userId, suspendedAt: since };
    await endSessions(tx, input.userId);
    notifyUser(tx, input.userId);
    return setSuspendedAt(tx, input, tx.ctx.clock.now());
  });
}

/** Lets a user log in again. Nothing happens to one who may. Throws NOT_FOUND. */
export async function unsuspendUser(ctx: CoreContext, input: SuspendUser): Promise<Suspension> {
  authorize(ctx.actor, "admin.users.suspend");
  return inHome(ctx, input.userId, async (tx) => {
    const { suspendedAt: since } = await lockAccount(tx, input.userId);
    return since === null ? { userId: input.userId, suspendedAt: null } : setSuspendedAt(tx, input, null);
  });
}

/** For who knows a user by their address. Throws NOT_FOUND, INVALID_INPUT. */
export async function getUserId(ctx: CoreContext, address: string): Promise<string> {
  authorize(ctx.actor, "admin.users.suspend");
  const email = normalizeEmail(address);
  const [user] = await ctx.transaction((tx) =>
    tx.sql.select({ id: users.id }).from(users).where(eq(users.email, email)),
  );
  if (user === undefined) throw notFound("user");
  return user.id;
}

/** Where the user's own affairs are written down, by who acts. */
async function inHome<T>(ctx: CoreContext, userId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const [user] = await ctx.transaction((tx) => tx.sql.select({ id: users.id }).from(users).where(eq(users.id, userId)));
  if (user === undefined) throw notFound("user");
  const { organizationId } = await ensureHome(ctx, userId);
  return ctx.forOrganization(organizationId).transaction(work);
}

/** Locks all operators, in order of their ids: two who suspend each other must not both find the other one at work. */
async function refuseLastOperator(tx: Tx, userId: string): Promise<void> {
  const atWork = await tx.sql.execute<{ id: string }>(sql`select lock_operators() as id`);
  if (atWork.length === 1 && atWork[0]?.id === userId)
    throw new DomainError("CONFLICT", "The house keeps an operator. Invite another one first.");
}

async function setSuspendedAt(tx: Tx, { userId, reason }: SuspendUser, suspendedAt: Date | null): Promise<Suspension> {
  await tx.sql.update(users).set({ suspendedAt }).where(eq(users.id, userId));
  const type = suspendedAt === null ? "user.unsuspended" : "user.suspended";
  const subject = { type: "user", id: userId };
  const after = { suspendedAt };
  record(tx, { type, subject, after, reason });
  writeOperatorAudit(tx, { action: type, subject, after, reason });
  return { userId, suspendedAt };
}
