import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { getAccountForShare } from "./account.ts";
import { type Identity, labelOf, providerOf, readIdentities } from "./identities.ts";
import type { SessionHolder } from "./sessions.ts";

export interface IdentityView extends Pick<Identity, "id" | "email" | "createdAt" | "lastUsedAt"> {
  /** Null when it is not configured any more. */
  readonly provider: string | null;
  readonly providerLabel: string;
}

export interface SignInMethods {
  readonly hasPassword: boolean;
  readonly identities: readonly IdentityView[];
}

/** By what the user comes in. */
export async function getSignInMethods(ctx: CoreContext, { userId }: SessionHolder): Promise<SignInMethods> {
  authorize(ctx.actor, "account.read");
  return ctx.transaction(async (tx) => {
    const { passwordHash } = await getAccountForShare(tx, userId);
    const own = await readIdentities(tx, userId);
    return {
      hasPassword: passwordHash !== null,
      identities: own.map((identity) => ({
        id: identity.id,
        email: identity.email,
        createdAt: identity.createdAt,
        lastUsedAt: identity.lastUsedAt,
        provider: providerOf(ctx, identity)?.name ?? null,
        providerLabel: labelOf(ctx, identity),
      })),
    };
  });
}
