import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { Secret, TOTP } from "otpauth";
import type { TestCore } from "../testing/test-core.ts";
import { beginTotp, type EnabledTotp, enableTotp, logIn, mintMailLink, register, verifyEmail } from "./index.ts";

/** What the tests of this folder begin with. */
export const ana = { email: "ana@example.com", password: "correct horse", name: "Ana", locale: "en" } as const;

export async function registerAna(core: TestCore): Promise<{ readonly answer: unknown; readonly userId: string }> {
  const answer = await register(core.ctx, ana);
  const [user] = await core.database.drizzle.select({ id: users.id }).from(users).where(eq(users.email, ana.email));
  if (user === undefined) throw new Error("The user was not made.");
  return { answer, userId: user.id };
}

export async function verifiedAna(core: TestCore): Promise<{ readonly userId: string }> {
  const { userId } = await registerAna(core);
  await verifyEmail(core.ctx, { token: tokenOf(await mintMailLink(core.ctx, { kind: "verify_email", userId })) });
  return { userId };
}

export function tokenOf(link: string): string {
  const token = new URL(link).searchParams.get("token");
  if (token === null) throw new Error("There is no token in the link.");
  return token;
}

/** What Ana's telephone shows at this moment. */
export function codeAt(secret: string, now: Date): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now.getTime() });
}

/** Ana with the second factor on, and the session that she did it with. The code of this moment is used up. */
export async function anaWithTotp(
  core: TestCore,
): Promise<{ readonly userId: string; readonly secret: string } & EnabledTotp> {
  const { userId } = await verifiedAna(core);
  const { session } = await logIn(core.ctx, ana);
  const holder = { userId, sessionId: session.id };
  const { secret } = await beginTotp(core.ctx, holder);
  const enabled = await enableTotp(core.ctx, { ...holder, code: codeAt(secret, core.clock.now()) });
  return { userId, secret, ...enabled };
}
