import { returnAttempts, takeAttempts } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { assert } from "../errors.ts";
import { CouponRefusal } from "./coupon.ts";

/**
 * Runs work that a code is a part of; nothing is counted without one. Each try is taken before and given back unless the code was
 * refused, outside of the work's transaction: a refusal undoes that, and many at once cannot slip through. RATE_LIMITED after ten in
 * an hour of real time.
 */
export async function countTries<T>(ctx: CoreContext, code: string | undefined, work: () => Promise<T>): Promise<T> {
  if (code === undefined) return work();
  assert(ctx.organizationId !== null, "the context is bound to an organization");
  const tries = [{ limit: "coupon.organization", of: [ctx.organizationId] }] as const;
  await takeAttempts(ctx, tries);
  try {
    const result = await work();
    await returnAttempts(ctx, tries);
    return result;
  } catch (error) {
    if (!(error instanceof CouponRefusal)) await returnAttempts(ctx, tries);
    throw error;
  }
}
