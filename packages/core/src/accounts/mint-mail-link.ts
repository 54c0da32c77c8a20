import type { CoreContext } from "../context.ts";
import type { TokenLinkKind } from "../notifications/index.ts";
import { mintToken } from "./account-tokens.ts";

const portalPaths = { verify_email: "/verify-email", reset_password: "/reset-password" } as const satisfies Record<
  TokenLinkKind,
  string
>;

/** The link of an account mail, made at the moment of sending: the queue of mails never holds a token. */
export async function mintMailLink(
  ctx: CoreContext,
  link: { readonly kind: TokenLinkKind; readonly userId: string },
): Promise<string> {
  const { token } = await ctx.transaction((tx) => mintToken(tx, link));
  return `${ctx.config.portalUrl}${portalPaths[link.kind]}?token=${token}`;
}
