import { organizations } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { acrossOrganizations } from "../across.ts";
import { lockEvenClosed, normalizeEmail } from "../accounts/index.ts";
import { writeOperatorAudit } from "../audit/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import { endMembership, getMember, revokeInvitationsOf } from "../organizations/index.ts";
import { removeAllMethods } from "../payments/index.ts";
import { revokeTokensOf } from "../tokens/index.ts";
import { listMemberships } from "./memberships.ts";
import { authorizeDeletion, findOwnObstacles } from "./preview-deletion.ts";
import { findStanding, type ObstacleCode, obstacleWords, type Standing } from "./standing.ts";

export interface DeleteAccount {
  readonly userId: string;
  /** What a user types who deletes their own: their address. */
  readonly confirmEmail?: string | undefined;
  /** Of an operator, for the audit. */
  readonly reason?: string | undefined;
}

export interface Deletion {
  readonly userId: string;
  readonly deletedAt: Date;
}

/**
 * Ends an account for good, in one commit: what it logs in with, its memberships, what it sent and made, and each organization that is
 * its user's alone. What is personal elsewhere is erased by a job. Saying it again changes nothing. Throws DELETION_BLOCKED with the
 * obstacles as issues, NAME_MISMATCH for another address, and NOT_FOUND.
 */
export async function deleteAccount(ctx: CoreContext, input: DeleteAccount): Promise<Deletion> {
  const { userId } = input;
  authorizeDeletion(ctx, userId);
  return ctx.transaction(async (tx) => {
    const own = await findOwnObstacles(tx, userId);
    const across = acrossOrganizations(tx);
    const standings = new Map<string, Standing | null>();
    const weigh = async (): Promise<void> => {
      for (const { id } of await listMemberships(tx, userId)) {
        if (!standings.has(id)) standings.set(id, await across.in(id, (inner) => lockAndWeigh(inner, userId)));
      }
    };
    await weigh();
    // After the organizations, as everybody who makes somebody a member of one does.
    const account = await lockUser(tx, userId);
    if (account.deletedAt !== null) return { userId, deletedAt: account.deletedAt };
    refuseOther(ctx, account, input.confirmEmail);
    // What they became a member of meanwhile. From here on they do not.
    await weigh();
    const living = [...standings.values()].filter((standing) => standing !== null);
    refuseObstacles(own, living);
    for (const { organizationId, becomes } of living) {
      await across.in(organizationId, (inner) => (becomes === "left" ? leave(inner, userId) : close(inner, userId)));
    }
    return erase(tx, input);
  });
}

async function lockAndWeigh(tx: Tx, userId: string): Promise<Standing | null> {
  await lockEvenClosed(tx);
  return findStanding(tx, userId);
}

interface LockedAccount {
  readonly email: string;
  readonly deletedAt: Date | null;
}

/** The row is nobody else's until the transaction ends. */
async function lockUser(tx: Tx, userId: string): Promise<LockedAccount> {
  const [row] = await tx.sql.execute<{ email: string; deleted_ms: string | null }>(
    sql`select email, floor(extract(epoch from deleted_at) * 1000)::text as deleted_ms from lock_account(${userId})`,
  );
  if (row === undefined) throw notFound("user");
  return { email: row.email, deletedAt: row.deleted_ms === null ? null : new Date(Number(row.deleted_ms)) };
}

function refuseOther(ctx: CoreContext, { email }: LockedAccount, typed: string | undefined): void {
  if (ctx.actor.type !== "user" || (typed !== undefined && normalizeEmail(typed) === email)) return;
  throw new DomainError("NAME_MISMATCH", "The address that was typed is not the account's.", {
    issues: [{ path: "confirmEmail", message: "Type the address of your account." }],
  });
}

function refuseObstacles(own: readonly ObstacleCode[], standings: readonly Standing[]): void {
  const issues = [
    ...own.map((code) => ({ path: code, message: obstacleWords[code] })),
    ...standings.flatMap(({ name, obstacles }) =>
      obstacles.map((code) => ({ path: code, message: `${name}: ${obstacleWords[code]}` })),
    ),
  ];
  if (issues.length === 0) return;
  throw new DomainError("DELETION_BLOCKED", "Something stands in the way of the deletion.", { issues });
}

async function leave(tx: Tx, userId: string): Promise<void> {
  // Of who goes no name is written down once more.
  const { name: _, email: __, ...member } = await getMember(tx, userId);
  await endMembership(tx, { ...member, name: "", email: "" }, "member.left");
}

/** Its row of the owner stays, who is nobody any more: what comes to its end there asks for one. */
async function close(tx: Tx, userId: string): Promise<void> {
  const id = organizationOf(tx);
  await revokeInvitationsOf(tx, userId);
  await revokeTokensOf(tx, userId);
  await removeAllMethods(tx);
  await tx.sql
    .update(organizations)
    .set({
      name: "Closed organization",
      slug: `closed-${id.replaceAll("-", "").slice(-20)}`,
      taxId: null,
      settings: { allowedEmailDomains: [] },
      closedAt: tx.ctx.clock.now(),
    })
    .where(eq(organizations.id, id));
  record(tx, { type: "organization.closed", subject: { type: "organization", id } });
}

async function erase(tx: Tx, { userId, reason }: DeleteAccount): Promise<Deletion> {
  const deletedAt = tx.ctx.clock.now();
  await tx.sql.execute(sql`select erase_account(${userId}, ${deletedAt.toISOString()}::timestamptz)`);
  notifyUser(tx, userId);
  await enqueue(tx, "account:erase", { userId });
  const subject = { type: "user", id: userId };
  writeOperatorAudit(tx, { action: "user.deleted", subject, reason: reason ?? null });
  return { userId, deletedAt };
}
