import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { lockAccount } from "./account.ts";
import { bindHome } from "./memberships.ts";
import { getEnabledFactor, replaceRecoveryCodes } from "./second-factors.ts";
import type { SessionHolder } from "./sessions.ts";

/** New ones, told this one time; the former are worth nothing. Throws CONFLICT where the second factor is off. */
export async function renewRecoveryCodes(ctx: CoreContext, { userId }: SessionHolder): Promise<readonly string[]> {
  authorize(ctx.actor, "account.write");
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    await lockAccount(tx, userId);
    await getEnabledFactor(tx, userId);
    record(tx, { type: "user.recoveryCodesRenewed", subject: { type: "user", id: userId } });
    return replaceRecoveryCodes(tx, userId);
  });
}
