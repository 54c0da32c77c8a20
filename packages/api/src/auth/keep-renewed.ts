import type { StartedSession } from "@sewa/core";
import type { Context } from "../context.ts";
import type { RenewedSessionDto } from "./dto.ts";

/** Browsers keep it as their cookie, others by themselves. */
export function keepRenewed(ctx: Pick<Context, "cookies">, { token, session }: StartedSession): RenewedSessionDto {
  const { expiresAt } = session;
  ctx.cookies.set(token, expiresAt);
  return { token, expiresAt };
}
