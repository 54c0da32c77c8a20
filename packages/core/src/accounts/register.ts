import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import type { Locale } from "../notifications/index.ts";
import { queueAccountMail } from "./account-mails.ts";
import { findAccountByEmail } from "./account.ts";
import { networkOf, takeAttempts } from "./attempts.ts";
import { createAccount } from "./create-account.ts";
import { checkName, checkPassword, normalizeEmail } from "./input.ts";
import { ensureHome } from "./memberships.ts";
import { hashPassword } from "./password.ts";

export interface Register {
  readonly email: string;
  /** 8 to 200 characters. */
  readonly password: string;
  readonly name: string;
  /** Language of the mails; Indonesian unless told. */
  readonly locale?: Locale | undefined;
  /** The user's name unless told. */
  readonly organizationName?: string | undefined;
  /** Network address of the client, for the limits. */
  readonly ip?: string | null | undefined;
}

/**
 * Makes a user with an organization and mails a link that proves the address. For an address that is taken nothing is
 * made and its owner is told by mail; the answer is the same, so that nobody learns who is a customer. The password is
 * hashed in both cases, because time would tell as well. Throws INVALID_INPUT, RATE_LIMITED.
 */
export async function register(ctx: CoreContext, input: Register): Promise<{ readonly status: "verification_sent" }> {
  const email = normalizeEmail(input.email);
  const name = checkName(input.name, "name");
  const organizationName = checkName(input.organizationName ?? name, "organizationName");
  const password = checkPassword(input.password, email);
  await takeAttempts(ctx, [
    { limit: "register.ip", of: [networkOf(input.ip)] },
    { limit: "register.account", of: [email] },
  ]);
  const passwordHash = await hashPassword(password);
  const account = { email, name, locale: input.locale ?? "id", organizationName, passwordHash };
  const created = await createAccount(ctx, account, async (tx, { userId }) => {
    await queueAccountMail(tx, "verify_email", userId);
    record(tx, { type: "user.registered", subject: { type: "user", id: userId } });
  });
  if (created === null) await tellOwner(ctx, email);
  return { status: "verification_sent" };
}

async function tellOwner(ctx: CoreContext, email: string): Promise<void> {
  const account = await findAccountByEmail(ctx, email);
  if (account === null) return;
  const { organizationId } = await ensureHome(ctx, account.user.id);
  await ctx.forOrganization(organizationId).transaction(async (tx) => {
    await queueAccountMail(tx, "register_attempt", account.user.id);
  });
}
