import { secondFactors } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { lockAccount } from "./account.ts";
import { bindHome } from "./memberships.ts";
import { getEnabledFactor } from "./second-factors.ts";
import { renewSession, type SessionHolder, type StartedSession } from "./sessions.ts";

/** Log-in asks for the password alone again; the recovery codes go with the secret. Throws CONFLICT where it is off, UNAUTHORIZED. */
export async function disableTotp(ctx: CoreContext, holder: SessionHolder): Promise<StartedSession> {
  authorize(ctx.actor, "account.write");
  const { userId } = holder;
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    await lockAccount(tx, userId);
    await getEnabledFactor(tx, userId);
    await tx.sql.delete(secondFactors).where(eq(secondFactors.userId, userId));
    const renewed = await renewSession(tx, holder);
    await queueSecurityNotice(tx, userId, { kind: "second_factor_changed", data: { isOn: false } });
    notifyUser(tx, userId);
    record(tx, { type: "user.totpDisabled", subject: { type: "user", id: userId } });
    return renewed;
  });
}
