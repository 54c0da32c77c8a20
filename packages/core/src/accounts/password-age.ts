import { sql } from "drizzle-orm";
import { addMs, hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { findAccountByEmail } from "./account.ts";
import { verifyPassword } from "./password.ts";

/** When a password of this age ends; null in a house where none does. */
export function passwordEnd({ operatorPasswordMaxAgeHours: hours }: CoreContext["config"], setAt: Date): Date | null {
  return hours === null ? null : addMs(setAt, hours * hourMs);
}

/** Of an operator. They log in as before, and can do nothing but choose a new one. */
export async function isPasswordExpired(ctx: CoreContext, userId: string): Promise<boolean> {
  if (ctx.config.operatorPasswordMaxAgeHours === null) return false;
  const [row] = await ctx.db.drizzle.execute<{ setAt: string | null }>(
    sql`select operator_password_set_at(${userId})::text as "setAt"`,
  );
  if (row?.setAt == null) return false;
  const end = passwordEnd(ctx.config, new Date(row.setAt));
  return end !== null && end <= ctx.clock.now();
}

/** Where operators' passwords end, one that is set by a link has to be another one too. Customers may keep theirs. Throws INVALID_INPUT. */
export async function refuseSameAsBefore(
  ctx: CoreContext,
  email: string,
  password: string,
  path: string,
): Promise<void> {
  if (ctx.config.operatorPasswordMaxAgeHours === null) return;
  const account = await findAccountByEmail(ctx, email);
  if (account === null || !account.user.isOperator || account.passwordHash === null) return;
  if (await verifyPassword(account.passwordHash, password)) throw samePassword(path);
}

export function samePassword(path: string): DomainError {
  const message = "Choose another password than the one that you have.";
  return new DomainError("INVALID_INPUT", message, { issues: [{ path, message }] });
}
