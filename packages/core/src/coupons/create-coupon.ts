import { databaseErrorOf } from "@sewa/db";
import { couponPlans, coupons, organizations, plans } from "@sewa/db/schema";
import { eq, inArray } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { minorDigitsOf } from "../money.ts";
import { authorize } from "../permissions.ts";
import { readCode } from "./coupon.ts";
import { type CouponView, getCouponView } from "./queries.ts";

export type NewDiscount =
  | { readonly kind: "percent"; readonly basisPoints: number }
  | { readonly kind: "amount"; readonly amountMinor: bigint; readonly currency: string };

export interface NewCoupon {
  readonly code: string;
  readonly discount: NewDiscount;
  readonly periods: number | null;
  readonly maxRedemptions: number | null;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  /** Empty: for all plans. */
  readonly planIds: readonly string[];
  readonly organizationId: string | null;
}

/** Makes a coupon. CONFLICT for a code that there is already, so asking twice makes no second one and needs no key. */
export async function createCoupon(ctx: CoreContext, input: NewCoupon): Promise<CouponView> {
  authorize(ctx.actor, "admin.coupons.write");
  const { discount, periods, maxRedemptions, startsAt, endsAt, organizationId } = input;
  return ctx.transaction(async (tx) => {
    const code = checkTerms(input);
    const planIds = [...new Set(input.planIds)];
    await requirePlans(tx, planIds);
    if (organizationId !== null) await requireOrganization(tx, organizationId);
    const id = ctx.ids.next();
    const row = {
      code,
      kind: discount.kind,
      basisPoints: discount.kind === "percent" ? discount.basisPoints : null,
      currency: discount.kind === "amount" ? discount.currency : null,
      amountMinor: discount.kind === "amount" ? discount.amountMinor : null,
      periods,
      maxRedemptions,
      organizationId,
      startsAt,
      endsAt,
    };
    await tx.sql
      .insert(coupons)
      .values({ id, ...row, createdBy: formatActor(ctx.actor) })
      .catch(refuseKnown);
    if (planIds.length > 0)
      await tx.sql.insert(couponPlans).values(planIds.map((planId) => ({ couponId: id, planId })));
    writeOperatorAudit(tx, {
      action: "coupon.created",
      subject: { type: "coupon", id },
      after: { ...row, planIds },
    });
    return getCouponView(tx, id);
  });
}

/** The database refuses the same; here it is said in words. */
function checkTerms({ code: text, discount, periods, maxRedemptions, startsAt, endsAt }: NewCoupon): string {
  const code = readCode(text);
  if (code === null) throw invalid("code", "Use 3 to 40 letters, digits, - and _.");
  if (discount.kind === "percent" && !isWhole(discount.basisPoints, 10_000))
    throw invalid("discount.basisPoints", "Use 1 to 10000 hundredths of one percent.");
  if (discount.kind === "amount") {
    minorDigitsOf(discount.currency);
    if (discount.amountMinor <= 0n) throw invalid("discount.amount", "Take something off.");
  }
  if (periods !== null && !isWhole(periods, maxCount)) throw invalid("periods", "Use a number of periods.");
  if (maxRedemptions !== null && !isWhole(maxRedemptions, maxCount))
    throw invalid("maxRedemptions", "Use a number of organizations.");
  if (startsAt !== null && endsAt !== null && endsAt <= startsAt) throw invalid("endsAt", "It ends before it begins.");
  return code;
}

const maxCount = 1_000_000;

function isWhole(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max;
}

function invalid(path: string, message: string): DomainError {
  return new DomainError("INVALID_INPUT", "This is no coupon.", { issues: [{ path, message }] });
}

function refuseKnown(error: unknown): never {
  if (databaseErrorOf(error)?.constraint === "coupons_code_key")
    throw new DomainError("CONFLICT", "There is a coupon with this code already.", {
      issues: [{ path: "code", message: "Exists already." }],
    });
  throw error;
}

async function requirePlans(tx: Tx, planIds: readonly string[]): Promise<void> {
  if (planIds.length === 0) return;
  const known = await tx.sql
    .select({ id: plans.id })
    .from(plans)
    .where(inArray(plans.id, [...planIds]));
  if (known.length < planIds.length) throw notFound("plan");
}

async function requireOrganization(tx: Tx, organizationId: string): Promise<void> {
  const known = await tx.sql
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  if (known.length === 0) throw notFound("organization");
}
