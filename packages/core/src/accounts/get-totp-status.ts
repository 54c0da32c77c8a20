import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { countRecoveryCodes, findEnabledFactor } from "./second-factors.ts";
import type { SessionHolder } from "./sessions.ts";

export interface TotpStatus {
  /** Null while log-in asks for the password alone. */
  readonly enabledAt: Date | null;
  /** That were not used yet. */
  readonly recoveryCodesLeft: number;
}

export async function getTotpStatus(ctx: CoreContext, { userId }: SessionHolder): Promise<TotpStatus> {
  authorize(ctx.actor, "account.read");
  return ctx.transaction(async (tx) => {
    const factor = await findEnabledFactor(tx, userId);
    return { enabledAt: factor?.enabledAt ?? null, recoveryCodesLeft: await countRecoveryCodes(tx, userId) };
  });
}
