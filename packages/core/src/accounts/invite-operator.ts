import type { CoreContext } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { dropTokens, mintToken } from "./account-tokens.ts";
import { findAccountByEmail } from "./account.ts";
import { createAccount } from "./create-account.ts";
import { checkName, normalizeEmail } from "./input.ts";
import { ensureHome } from "./memberships.ts";
import { authorize } from "../permissions.ts";

export interface OperatorInvite {
  readonly userId: string;
  /** One-time link into the portal. Whoever opens it first becomes the operator. */
  readonly url: string;
  readonly expiresAt: Date;
}

/**
 * Invites an operator, with or without an account. The right is given when the invitation is accepted, not here: an
 * account that a stranger opened with this address must not become an operator's with the stranger's password. An earlier
 * invitation stops working. Throws FORBIDDEN, INVALID_INPUT.
 */
export async function inviteOperator(
  ctx: CoreContext,
  input: { readonly email: string; readonly name?: string | undefined },
): Promise<OperatorInvite> {
  authorize(ctx.actor, "admin.operators.invite");
  const email = normalizeEmail(input.email);
  const { userId, organizationId } = await ensureAccount(ctx, email, checkName(input.name ?? "Operator", "name"));
  return ctx.forOrganization(organizationId).transaction(async (tx) => {
    await dropTokens(tx, "admin_invite", userId);
    const { token, expiresAt } = await mintToken(tx, { kind: "admin_invite", userId });
    record(tx, { type: "operator.invited", subject: { type: "user", id: userId } });
    return { userId, url: `${ctx.config.portalUrl}/admin/accept?token=${token}`, expiresAt };
  });
}

async function ensureAccount(ctx: CoreContext, email: string, name: string) {
  const account = { email, name, locale: "id" as const, organizationName: name, passwordHash: null };
  const created = await createAccount(ctx, account, async () => undefined);
  if (created !== null) return created;
  const existing = await findAccountByEmail(ctx, email);
  assert(existing !== null, "an address that is taken has an account");
  if (existing.suspendedAt !== null)
    throw new DomainError("ACCOUNT_SUSPENDED", "The account of this address is suspended.");
  const { organizationId } = await ensureHome(ctx, existing.user.id);
  return { userId: existing.user.id, organizationId };
}
