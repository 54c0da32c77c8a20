import { secondFactors, users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { queueNotification } from "../notifications/index.ts";
import { authorize } from "../permissions.ts";
import { lockAccount } from "./account.ts";
import { ensureHome } from "./memberships.ts";
import { getEnabledFactor } from "./second-factors.ts";
import { endSessions } from "./sessions.ts";

export interface ResetSecondFactor {
  readonly userId: string;
  /** For the audit: how the user has proved to be themselves. They are not told. */
  readonly reason: string;
}

/**
 * For who has lost the app and the recovery codes: log-in asks for the password alone again. All sessions of the user end, and a mail
 * tells them. Throws NOT_FOUND, and CONFLICT for oneself and where the factor is off.
 */
export async function resetSecondFactor(
  ctx: CoreContext,
  input: ResetSecondFactor,
): Promise<{ readonly userId: string }> {
  const { actor } = ctx;
  const { userId, reason } = input;
  authorize(actor, "admin.users.resetSecondFactor");
  if (actor.type === "operator" && actor.userId === userId)
    throw new DomainError("CONFLICT", "You cannot reset your own second factor. Switch it off with a recovery code.");
  const [user] = await ctx.transaction((tx) => tx.sql.select({ id: users.id }).from(users).where(eq(users.id, userId)));
  if (user === undefined) throw notFound("user");
  const { organizationId } = await ensureHome(ctx, userId);
  return ctx.forOrganization(organizationId).transaction(async (tx) => {
    await lockAccount(tx, userId);
    const { enabledAt } = await getEnabledFactor(tx, userId);
    await tx.sql.delete(secondFactors).where(eq(secondFactors.userId, userId));
    await endSessions(tx, userId);
    notifyUser(tx, userId);
    const subject = { type: "user", id: userId };
    const change = { before: { totpEnabledAt: enabledAt }, after: { totpEnabledAt: null } };
    record(tx, { type: "user.totpReset", subject, ...change, reason });
    writeOperatorAudit(tx, { action: "user.totpReset", subject, ...change, reason });
    await queueNotification(tx, {
      kind: "second_factor_reset",
      userId,
      dedupeKey: `second_factor_reset:${tx.ctx.ids.next()}`,
      data: {},
    });
    return { userId };
  });
}
