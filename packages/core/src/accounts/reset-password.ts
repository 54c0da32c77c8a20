import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { dropTokens, getTokenHolder, useToken } from "./account-tokens.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { clearLoginAttempts } from "./attempts.ts";
import { checkPassword } from "./input.ts";
import { refuseSameAsBefore } from "./password-age.ts";
import { hashPassword } from "./password.ts";
import { bindHome } from "./memberships.ts";
import { setPassword } from "./set-password.ts";

/**
 * Sets a new password by the link of the mail: once, within an hour. Ends all sessions, lifts the limits that failed
 * log-ins have run into, and proves the address, because the link came through it. Throws TOKEN_INVALID, INVALID_INPUT.
 */
export async function resetPassword(
  ctx: CoreContext,
  input: { readonly token: string; readonly newPassword: string },
): Promise<{ readonly status: "password_reset" }> {
  const { tokenId, userId, email } = await getTokenHolder(ctx, "reset_password", input.token);
  const password = checkPassword(input.newPassword, email, "newPassword");
  await refuseSameAsBefore(ctx, email, password, "newPassword");
  const passwordHash = await hashPassword(password);
  const bound = await bindHome(ctx, userId);
  await bound.transaction(async (tx) => {
    await useToken(tx, "reset_password", tokenId);
    await dropTokens(tx, "reset_password", userId);
    await setPassword(tx, userId, { passwordHash });
    await queueSecurityNotice(tx, userId, { kind: "password_changed", data: {} });
    record(tx, { type: "user.passwordReset", subject: { type: "user", id: userId } });
  });
  await clearLoginAttempts(ctx, { email, userId });
  return { status: "password_reset" };
}
