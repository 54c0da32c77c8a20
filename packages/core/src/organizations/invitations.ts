import { invitations, users } from "@sewa/db/schema";
import { and, desc, eq, lt } from "drizzle-orm";
import { authorize, lockMembers } from "../accounts/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { MemberRole } from "../roles.ts";
import { deriveInvitationStatus, type InvitationRow, type InvitationStatus } from "./invitation.ts";
import { assertMayTouch } from "./member.ts";

export interface InvitationView {
  readonly id: string;
  readonly email: string;
  readonly role: MemberRole;
  readonly status: InvitationStatus;
  /** Null once they are no member any more. */
  readonly inviterName: string | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

/** Newest first, with those that were answered. */
export async function listInvitations(ctx: CoreContext, input: PageInput): Promise<Page<InvitationView>> {
  authorize(ctx.actor, "invitation.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await selectInvitations(tx, cursor === null ? undefined : lt(invitations.id, cursor))
      .orderBy(desc(invitations.id))
      .limit(limit + 1);
    return toPage(rows.map(toView(ctx)), limit, ({ id }) => [id]);
  });
}

/** Takes an invitation back: its link opens nothing any more. One that was answered stays what it is. Throws NOT_FOUND, FORBIDDEN. */
export async function revokeInvitation(ctx: CoreContext, invitationId: string): Promise<InvitationView> {
  authorize(ctx.actor, "invitation.write");
  return ctx.transaction(async (tx) => {
    const acting = await lockMembers(tx);
    const invitation = await getInvitationView(tx, invitationId);
    assertMayTouch(acting, invitation.role);
    if (invitation.status !== "pending") return invitation;
    await settleInvitation(tx, invitationId, { status: "revoked" });
    recordRevoked(tx, invitationId, { email: invitation.email, role: invitation.role });
    return { ...invitation, status: "revoked" };
  });
}

/** What somebody has sent ends with their right to send it. */
export async function revokeInvitationsOf(tx: Tx, userId: string): Promise<void> {
  const revoked = await tx.sql
    .update(invitations)
    .set({ status: "revoked", settledAt: tx.ctx.clock.now() })
    .where(
      and(
        eq(invitations.organizationId, organizationOf(tx)),
        eq(invitations.invitedBy, userId),
        eq(invitations.status, "pending"),
      ),
    )
    .returning({ id: invitations.id, email: invitations.email, role: invitations.role });
  for (const { id, ...facts } of revoked) recordRevoked(tx, id, facts);
}

/** Of the transaction's organization. Throws NOT_FOUND. */
export async function getInvitationView(tx: Tx, invitationId: string): Promise<InvitationView> {
  const [row] = await selectInvitations(tx, eq(invitations.id, invitationId));
  if (row === undefined) throw notFound("invitation");
  return toView(tx.ctx)(row);
}

/** The one writer of what becomes of a pending one. Under the lock of the organization. */
export async function settleInvitation(
  tx: Tx,
  invitationId: string,
  settled:
    { readonly status: "accepted"; readonly userId: string } | { readonly status: "declined" | "revoked" | "expired" },
): Promise<void> {
  await tx.sql
    .update(invitations)
    .set({ ...settled, settledAt: tx.ctx.clock.now() })
    .where(and(eq(invitations.organizationId, organizationOf(tx)), eq(invitations.id, invitationId)));
}

function recordRevoked(
  tx: Tx,
  invitationId: string,
  facts: { readonly email: string; readonly role: MemberRole },
): void {
  const subject = { type: "invitation", id: invitationId };
  const data = { invitationId, role: facts.role };
  record(tx, { type: "invitation.revoked", subject, data, before: facts, after: { ...facts, status: "revoked" } });
}

function selectInvitations(tx: Tx, condition: ReturnType<typeof eq> | undefined) {
  return (
    tx.sql
      .select({ invitation: invitations, inviterName: users.name })
      .from(invitations)
      // Whoever is no member any more is nobody's to see.
      .leftJoin(users, eq(users.id, invitations.invitedBy))
      .where(and(eq(invitations.organizationId, organizationOf(tx)), condition))
      .$dynamic()
  );
}

function toView({ clock }: CoreContext) {
  return (row: { readonly invitation: InvitationRow; readonly inviterName: string | null }): InvitationView => {
    const { id, email, role, expiresAt, createdAt } = row.invitation;
    const status = deriveInvitationStatus(row.invitation, clock.now());
    return { id, email, role, status, inviterName: row.inviterName, expiresAt, createdAt };
  };
}
