import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { getTokenHolder, useToken } from "./account-tokens.ts";
import { checkName, checkPassword } from "./input.ts";
import { refuseSameAsBefore } from "./password-age.ts";
import { hashPassword } from "./password.ts";
import { bindHome } from "./memberships.ts";
import { setPassword } from "./set-password.ts";

/**
 * Makes the invited user an operator, once: sets the password, proves the address and ends what was logged in before.
 * It does not log in. Throws TOKEN_INVALID, INVALID_INPUT.
 */
export async function acceptOperatorInvite(
  ctx: CoreContext,
  input: { readonly token: string; readonly password: string; readonly name?: string | undefined },
): Promise<{ readonly email: string }> {
  const { tokenId, userId, email } = await getTokenHolder(ctx, "admin_invite", input.token);
  const name = input.name === undefined ? {} : { name: checkName(input.name, "name") };
  const password = checkPassword(input.password, email);
  await refuseSameAsBefore(ctx, email, password, "password");
  const passwordHash = await hashPassword(password);
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    await useToken(tx, "admin_invite", tokenId);
    await setPassword(tx, userId, { passwordHash, isOperator: true, ...name });
    record(tx, { type: "operator.accepted", subject: { type: "user", id: userId } });
    return { email };
  });
}
