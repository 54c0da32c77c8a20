import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { type Account, getAccountForShare } from "./account.ts";
import { verifyPassword } from "./password.ts";

/**
 * Of who is logged in and says it again, in the field `path`. Compared outside of any transaction, because that takes long: whoever
 * acts on the answer looks whether the hash is still this one. Throws INVALID_CREDENTIALS.
 */
export async function checkOwnPassword(
  ctx: CoreContext,
  userId: string,
  password: string,
  path: string,
): Promise<Account> {
  const account = await ctx.transaction((tx) => getAccountForShare(tx, userId));
  if (!(await verifyPassword(account.passwordHash, password))) throw wrongPassword(path);
  return account;
}

export function wrongPassword(path: string): DomainError {
  const message = "The password is wrong.";
  return new DomainError("INVALID_CREDENTIALS", message, { issues: [{ path, message }] });
}
