import { isIPv6 } from "node:net";
import { attemptCounters } from "@sewa/db/schema";
import { eq, like, lte, sql } from "drizzle-orm";
import { plainAddress } from "../addresses.ts";
import { addMs, dayMs, hourMs, minuteMs, secondMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";

interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

/**
 * How often something may be tried, over all processes and in real time. Log-in counts failures only: few from one
 * address for one account, more for one account from everywhere (so that a stranger at one address cannot lock its owner
 * out), and more again from one address for all accounts (an office behind one address). Who has many addresses can fill the
 * second of them for anybody, so it locks nobody out: beyond it log-in asks for one more proof than the password.
 */
const limits = {
  "login.pair": { max: 5, windowMs: 15 * minuteMs },
  "login.account": { max: 50, windowMs: dayMs },
  "login.ip": { max: 100, windowMs: dayMs },
  // Of the second factor, and counted only for who knows the password: a million codes are not many to try.
  "login.code": { max: 20, windowMs: dayMs },
  "confirm.session": { max: 5, windowMs: 15 * minuteMs },
  // Beginning costs the house a row, and coming back a call to the provider; an office behind one address may all come in an hour.
  "signIn.ip": { max: 300, windowMs: hourMs },
  "register.account": { max: 5, windowMs: hourMs },
  "register.ip": { max: 30, windowMs: hourMs },
  "reset.account": { max: 5, windowMs: hourMs },
  "reset.ip": { max: 30, windowMs: hourMs },
  "ticket.session": { max: 60, windowMs: minuteMs },
  // Each is a mail to somebody who did not ask for it.
  "invitation.organization": { max: 100, windowMs: dayMs },
  "invitation.address": { max: 20, windowMs: dayMs },
  // Each is a mail to a customer who may be alarmed by it.
  "impersonation.operator": { max: 30, windowMs: hourMs },
  "token.organization": { max: 100, windowMs: dayMs },
  // Reads everything that there is.
  "export.user": { max: 10, windowMs: dayMs },
  "export.page": { max: 5_000, windowMs: hourMs },
  "coupon.organization": { max: 10, windowMs: hourMs },
} as const satisfies Record<string, Limit>;

type LimitName = keyof typeof limits;

export interface Attempt {
  readonly limit: LimitName;
  /** What is counted, for example an e-mail address; only hashes of it are stored. */
  readonly of: readonly string[];
}

/** Counts before the work is done, so that many at once cannot slip through. Throws RATE_LIMITED at the first full one. */
export async function takeAttempts(ctx: CoreContext, attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) {
    const refusal = await countAttempt(ctx, attempt);
    if (refusal !== null) throw refusal;
  }
}

/** It was no failure: takes it out of the count again. */
export async function returnAttempts(ctx: CoreContext, attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) {
    await ctx.db.drizzle
      .update(attemptCounters)
      .set({ count: sql`greatest(${attemptCounters.count} - 1, 0)` })
      .where(eq(attemptCounters.key, keyOf(attempt)));
  }
}

/** Forgets all failed log-ins to one account, from wherever they came. */
export async function clearLoginAttempts(
  ctx: CoreContext,
  { email, userId }: { readonly email: string; readonly userId: string },
): Promise<void> {
  const counted: readonly Attempt[] = [
    { limit: "login.pair", of: [email] },
    { limit: "login.account", of: [email] },
    { limit: "login.code", of: [userId] },
  ];
  for (const attempt of counted) {
    await ctx.db.drizzle.delete(attemptCounters).where(like(attemptCounters.key, `${keyOf(attempt)}%`));
  }
}

export async function deleteEndedAttempts(ctx: CoreContext): Promise<number> {
  const deleted = await ctx.db.drizzle
    .delete(attemptCounters)
    .where(lte(attemptCounters.windowEndsAt, ctx.clock.now()));
  return deleted.count;
}

/** An IPv6 customer has a whole /64, so that is what counts as one address. */
export function networkOf(ip: string | null | undefined): string {
  const address = plainAddress(ip ?? null) ?? ip ?? "unknown";
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: gap }, () => "0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.padStart(4, "0"))
    .join(":")}::/64`;
}

/** The same for one, for who has more to say than no: answers the refusal. */
export async function countAttempt(ctx: CoreContext, attempt: Attempt): Promise<DomainError | null> {
  const { max, windowMs } = limits[attempt.limit];
  const now = ctx.clock.now();
  const windowEndsAt = addMs(now, windowMs);
  const isOver = sql`${attemptCounters.windowEndsAt} <= ${now.toISOString()}::timestamptz`;
  const [row] = await ctx.db.drizzle
    .insert(attemptCounters)
    .values({ key: keyOf(attempt), count: 1, windowEndsAt })
    .onConflictDoUpdate({
      target: attemptCounters.key,
      set: {
        count: sql`case when ${isOver} then 1 else ${attemptCounters.count} + 1 end`,
        windowEndsAt: sql`case when ${isOver} then excluded.window_ends_at else ${attemptCounters.windowEndsAt} end`,
      },
    })
    .returning({ count: attemptCounters.count, windowEndsAt: attemptCounters.windowEndsAt });
  if (row === undefined || row.count <= max) return null;
  return new DomainError("RATE_LIMITED", "Too many attempts. Try again later.", {
    retryAfterSeconds: Math.max(1, Math.ceil((row.windowEndsAt.getTime() - now.getTime()) / secondMs)),
  });
}

function keyOf({ limit, of }: Attempt): string {
  return [limit, ...of.map((part) => sha256Hex(part))].join(":");
}
