import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { lockAccount } from "./account.ts";
import { bindHome } from "./memberships.ts";
import { storeSecret } from "./second-factors.ts";
import type { SessionHolder } from "./sessions.ts";
import { newTotpSecret, toOtpauthUri } from "./totp.ts";

export interface BegunTotp {
  /** Base32. */
  readonly secret: string;
  /** `otpauth://totp/…`, to be shown as a picture. */
  readonly uri: string;
}

/** A secret for the user's authenticator app. Log-in asks for nothing before `enableTotp`. Throws CONFLICT where it is on. */
export async function beginTotp(ctx: CoreContext, { userId }: SessionHolder): Promise<BegunTotp> {
  authorize(ctx.actor, "account.write");
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    const { user } = await lockAccount(tx, userId);
    const secret = newTotpSecret();
    if (!(await storeSecret(tx, userId, secret)))
      throw new DomainError("CONFLICT", "The second factor is switched on already.");
    record(tx, { type: "user.totpBegun", subject: { type: "user", id: userId } });
    return { secret, uri: toOtpauthUri(secret, user.email) };
  });
}
