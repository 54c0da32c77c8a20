import type { DiscountDto } from "../coupons/dto.ts";

/** Amounts are minor units of the currency beside them. Organizations on a test clock are in no figure. */

/** Both as `2026-03`, on the calendar of the house; the last twelve months unless told, 36 at most. */
export interface RevenueMonthsInput {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A month of the ledger: `revenueMinor` is charged less voided less refunded, each without taxes. */
export interface RevenueMonthDto {
  readonly month: string;
  readonly currency: string;
  readonly chargedMinor: bigint;
  readonly voidedMinor: bigint;
  readonly refundedMinor: bigint;
  readonly revenueMinor: bigint;
  readonly badDebtMinor: bigint;
  /** What operators gave to wallets, less what they took. */
  readonly goodwillMinor: bigint;
  /** Money that came in, with taxes; of it, what was paid ahead into wallets. */
  readonly receivedMinor: bigint;
  readonly aheadMinor: bigint;
}

export interface RecurringRevenueInput {
  readonly from: Date;
  /** Now unless told. */
  readonly to?: Date | undefined;
}

/** For a month, without taxes: start + new + returned + expansion - contraction - churned = end. */
export interface RecurringRevenueDto {
  readonly currency: string;
  readonly startMinor: bigint;
  readonly newMinor: bigint;
  readonly returnedMinor: bigint;
  readonly expansionMinor: bigint;
  readonly contractionMinor: bigint;
  readonly churnedMinor: bigint;
  readonly endMinor: bigint;
  readonly subscriptions: number;
}

export interface ChurnMonthDto {
  readonly month: string;
  readonly currency: string;
  readonly reason: "not_paid" | "not_renewed" | "customer" | "operator" | "provisioning_failed";
  readonly subscriptions: number;
  readonly amountMinor: bigint;
}

/** Days since the invoice was opened. */
export type AgeBucketDto = "0-30" | "31-60" | "61-90" | "90+";

export interface ReceivablesBucketDto {
  readonly currency: string;
  readonly bucket: AgeBucketDto;
  readonly invoices: number;
  readonly amountMinor: bigint;
}

export interface ReceivableDto {
  readonly invoiceId: string;
  readonly organizationId: string;
  readonly number: string | null;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly openedAt: Date;
  readonly dueAt: Date | null;
  readonly ageDays: number;
  readonly bucket: AgeBucketDto;
}

export interface ReceivablePageDto {
  readonly items: readonly ReceivableDto[];
  readonly nextCursor: string | null;
  /** Over all, not only over this page. */
  readonly buckets: readonly ReceivablesBucketDto[];
}

export interface MarginDto {
  readonly instanceId: string;
  readonly subscriptionId: string;
  readonly organizationId: string;
  readonly currency: string;
  readonly broughtMinor: bigint;
  /** Null while nobody has said what room costs in this currency. */
  readonly costMinor: bigint | null;
  readonly marginMinor: bigint | null;
}

export interface MarginPageDto {
  readonly items: readonly MarginDto[];
  readonly nextCursor: string | null;
}

export interface UpcomingInput {
  /** Tomorrow unless told, 31 days ahead at most. */
  readonly until?: Date | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/** A renewal invoice that the sweep would open or collect. */
export interface UpcomingInvoiceDto {
  readonly subscriptionId: string;
  readonly organizationId: string;
  /** Null: it does not exist yet. */
  readonly number: string | null;
  readonly opensAt: Date;
  readonly dueAt: Date;
  readonly periodEnd: Date;
  /** When its money would be taken. */
  readonly collectsAt: Date;
  readonly currency: string;
  /** What is to be paid, with its taxes. */
  readonly amountMinor: bigint;
  readonly fromWalletMinor: bigint;
  /** What its saved card would be charged; what is left then is asked for by mail. */
  readonly fromCardMinor: bigint;
}

export interface UpcomingPageDto {
  readonly items: readonly UpcomingInvoiceDto[];
  readonly nextCursor: string | null;
}

/** A tax on every invoice that is opened while it holds. */
export interface TaxRateDto {
  readonly id: string;
  readonly name: string;
  /** Such as `11` or `7.25`. */
  readonly percent: string;
  /** Prices contain it already. */
  readonly isInclusive: boolean;
  /** Null: customers of all countries. */
  readonly country: string | null;
  readonly startsAt: Date;
  readonly endsAt: Date | null;
}

export interface TaxRatePageDto {
  readonly items: readonly TaxRateDto[];
  readonly nextCursor: string | null;
}

export interface CreateTaxRateInput {
  readonly name: string;
  readonly percent: string;
  readonly isInclusive: boolean;
  readonly country?: string | undefined;
  /** Now unless told, never earlier. */
  readonly startsAt?: Date | undefined;
}

export interface EndTaxRateInput {
  readonly taxRateId: string;
  readonly endsAt?: Date | undefined;
}

/** A coupon as operators see it. Its terms never change. */
export interface AdminCouponDto {
  readonly id: string;
  readonly code: string;
  readonly discount: DiscountDto;
  /** For so many periods of a subscription; null: for all. */
  readonly periods: number | null;
  /** By so many organizations; null: by any number. */
  readonly maxRedemptions: number | null;
  /** By how many it is had now. */
  readonly redeemed: number;
  /** Empty: for all plans. */
  readonly planIds: readonly string[];
  /** The only one that can have it; null: any. */
  readonly organizationId: string | null;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  readonly deactivatedAt: Date | null;
  readonly createdAt: Date;
}

export interface AdminCouponPageDto {
  readonly items: readonly AdminCouponDto[];
  readonly nextCursor: string | null;
}

export interface AdminCouponInput {
  readonly couponId: string;
}

export interface CreateCouponInput {
  /** 3 to 40 letters, digits, `-` and `_`; kept in capitals. */
  readonly code: string;
  readonly discount: DiscountDto;
  /** Without it, for all periods. */
  readonly periods?: number | undefined;
  readonly maxRedemptions?: number | undefined;
  /** Without them, for all plans. */
  readonly planIds?: readonly string[] | undefined;
  readonly organizationId?: string | undefined;
  /** When it can be redeemed. */
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
}
