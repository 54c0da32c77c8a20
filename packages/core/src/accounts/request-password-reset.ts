import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { queueAccountMail } from "./account-mails.ts";
import { dropTokens } from "./account-tokens.ts";
import { findAccountByEmail } from "./account.ts";
import { networkOf, takeAttempts } from "./attempts.ts";
import { normalizeEmail } from "./input.ts";
import { ensureHome } from "./memberships.ts";

/**
 * Mails a link for a new password, at most every five minutes; links of earlier requests stop working. The answer is
 * the same whether or not anybody has this address. Throws INVALID_INPUT, RATE_LIMITED.
 */
export async function requestPasswordReset(
  ctx: CoreContext,
  input: { readonly email: string; readonly ip?: string | null | undefined },
): Promise<{ readonly status: "reset_sent" }> {
  const email = normalizeEmail(input.email);
  await takeAttempts(ctx, [
    { limit: "reset.ip", of: [networkOf(input.ip)] },
    { limit: "reset.account", of: [email] },
  ]);
  const account = await findAccountByEmail(ctx, email);
  if (account !== null) {
    const { organizationId } = await ensureHome(ctx, account.user.id);
    await queueReset(ctx.forOrganization(organizationId), account.user.id);
  }
  return { status: "reset_sent" };
}

async function queueReset(ctx: CoreContext, userId: string): Promise<void> {
  await ctx.transaction(async (tx) => {
    if (!(await queueAccountMail(tx, "reset_password", userId))) return;
    // Here and not when the mail is sent: a mail that is sent twice must not break the link of its first copy.
    await dropTokens(tx, "reset_password", userId);
    record(tx, { type: "user.passwordResetRequested", subject: { type: "user", id: userId } });
  });
}
