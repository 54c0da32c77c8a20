import { invitations, members, users } from "@sewa/db/schema";
import { and, eq, gt } from "drizzle-orm";
import { authorize, getOrganization, lockMembers, normalizeEmail, takeAttempts } from "../accounts/index.ts";
import { addMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { type Locale, queueMailTo } from "../notifications/index.ts";
import type { MemberRole } from "../roles.ts";
import { invitationMs, maxPendingInvitations } from "./invitation.ts";
import { getInvitationView, type InvitationView, settleInvitation } from "./invitations.ts";
import { assertMayGrant } from "./member.ts";
import { getMember } from "./members.ts";

export interface CreateInvitation {
  readonly email: string;
  readonly role: MemberRole;
  readonly idempotencyKey: string;
}

/**
 * Asks somebody to join, by a mail whose link is good for 7 days. Whether the address has an account is not told. Throws
 * INVALID_INPUT, FORBIDDEN for a role above the actor's own, CONFLICT for a member and for who is invited already,
 * QUOTA_EXCEEDED, RATE_LIMITED.
 */
export async function createInvitation(ctx: CoreContext, input: CreateInvitation): Promise<InvitationView> {
  const { actor } = ctx;
  authorize(actor, "invitation.write");
  assert(actor.type === "user" && ctx.organizationId !== null, "a member invites into their organization");
  const email = normalizeEmail(input.email);
  const { idempotencyKey: key, role } = input;
  const request = { email, role };
  await takeAttempts(ctx, [
    { limit: "invitation.organization", of: [ctx.organizationId] },
    { limit: "invitation.address", of: [email] },
  ]);
  return once(ctx, { key, procedure: "organizations.invitations.create", input: request }, async (tx) => {
    assertMayGrant(await lockMembers(tx), role);
    const organization = await getOrganization(tx);
    refuseOtherDomain(email, organization.settings.allowedEmailDomains);
    await refuseMember(tx, email);
    await refuseInvited(tx, email);
    await refuseTooMany(tx);
    const invitationId = ctx.ids.next();
    const expiresAt = addMs(ctx.clock.now(), invitationMs);
    await tx.sql.insert(invitations).values({
      id: invitationId,
      organizationId: organization.id,
      ...request,
      status: "pending",
      invitedBy: actor.userId,
      expiresAt,
    });
    const inviter = await getMember(tx, actor.userId);
    const data = {
      invitationId,
      organizationName: organization.name,
      inviterName: inviter.name,
      inviterEmail: inviter.email,
      expiresAt: expiresAt.toISOString(),
    };
    const locale = await localeOf(tx, [email, inviter.email]);
    const mail = { kind: "invitation", dedupeKey: `invitation:${invitationId}`, data } as const;
    await queueMailTo(tx, mail, { email, locale });
    const subject = { type: "invitation", id: invitationId };
    record(tx, { type: "invitation.created", subject, data: { invitationId, role }, after: { ...request, expiresAt } });
    return getInvitationView(tx, invitationId);
  });
}

export function refuseOtherDomain(email: string, allowed: readonly string[]): void {
  if (allowed.length === 0 || allowed.includes(email.slice(email.lastIndexOf("@") + 1))) return;
  throw invalidEmail("INVALID_INPUT", "This organization invites addresses of its own domains only.");
}

async function refuseMember(tx: Tx, email: string): Promise<void> {
  const known = await tx.sql
    .select({ userId: members.userId })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(eq(members.organizationId, organizationOf(tx)), eq(users.email, email)));
  if (known.length > 0) throw invalidEmail("CONFLICT", "Who has this address is a member already.");
}

/** One that nobody has answered in time makes room for the next. */
async function refuseInvited(tx: Tx, email: string): Promise<void> {
  const [pending] = await tx.sql
    .select({ id: invitations.id, expiresAt: invitations.expiresAt })
    .from(invitations)
    .where(and(isPending(tx), eq(invitations.email, email)));
  if (pending === undefined) return;
  if (pending.expiresAt > tx.ctx.clock.now()) {
    throw invalidEmail("CONFLICT", "This address is invited already. Take that invitation back first.");
  }
  await settleInvitation(tx, pending.id, { status: "expired" });
}

async function refuseTooMany(tx: Tx): Promise<void> {
  const pending = await tx.sql.$count(invitations, and(isPending(tx), gt(invitations.expiresAt, tx.ctx.clock.now())));
  if (pending < maxPendingInvitations) return;
  throw new DomainError("QUOTA_EXCEEDED", `At most ${maxPendingInvitations} invitations wait for an answer at once.`);
}

/** That of the first of these addresses that has an account. */
async function localeOf(tx: Tx, emails: readonly string[]): Promise<Locale> {
  for (const email of emails) {
    const [user] = await tx.sql.select({ locale: users.locale }).from(users).where(eq(users.email, email));
    if (user !== undefined) return user.locale;
  }
  return "id";
}

function isPending(tx: Tx) {
  return and(eq(invitations.organizationId, organizationOf(tx)), eq(invitations.status, "pending"));
}

function invalidEmail(code: "INVALID_INPUT" | "CONFLICT", message: string): DomainError {
  return new DomainError(code, message, { issues: [{ path: "email", message }] });
}
