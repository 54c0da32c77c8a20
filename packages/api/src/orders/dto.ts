import type { MoneyDto, OfferingRefDto, PeriodDto, QuoteLineDto, TaxDto } from "../dto.ts";
import type { AddonCountsDto, ParameterValueDto, UsagePriceDto } from "../offerings/dto.ts";
import type { SubscriptionDto } from "../subscriptions/dto.ts";

export interface QuoteInput {
  readonly planId: string;
  /** By the names that `offerings.get` describes; what is left out gets its default. */
  readonly parameters: Readonly<Record<string, ParameterValueDto>>;
  /** How many of each add-on of the plan, by its slug: 1 to its `maxCount`. */
  readonly addons?: AddonCountsDto | undefined;
  /** NOT_FOUND, in the same words, for every code that cannot be used; RATE_LIMITED after ten of those in an hour. */
  readonly couponCode?: string | undefined;
  /** False: the price from the first period on. A trial that was used already is refused with TRIAL_USED. */
  readonly withTrial?: boolean | undefined;
}

export interface PlaceOrderInput extends QuoteInput {
  /** What the customer calls this app: 1 to 60 characters. Typed again before it is deleted. */
  readonly name: string;
  /** Of the quote that the customer agreed to; another price is refused with PRICE_CHANGED. */
  readonly priceKey: string;
  /** 8 to 128 characters of `A-Z a-z 0-9 _ -`, made up by the client for this one order. */
  readonly idempotencyKey: string;
}

export interface OrderInput {
  readonly orderId: string;
}

/** Whether there is room now. Nothing is held by asking. */
export interface CapacityDto {
  readonly fits: boolean;
  readonly reason: "NO_MACHINES" | "NO_MACHINE_LARGE_ENOUGH" | "POOL_FULL" | "NODE_FULL" | null;
}

export interface QuoteDto {
  readonly planId: string;
  readonly planName: string;
  readonly offering: OfferingRefDto;
  readonly priceKey: string;
  /** Of the first invoice; what is taken off is below zero. */
  readonly lines: readonly QuoteLineDto[];
  readonly taxes: readonly TaxDto[];
  /** What the first period costs, with the taxes. */
  readonly total: MoneyDto;
  /** What each period costs after those that the coupon and the trial are for, with the taxes. */
  readonly laterTotal: MoneyDto;
  /** Periods that the coupon is for; null without one, and for one without an end. */
  readonly couponPeriods: number | null;
  /** How many first periods are a trial; null when none is. */
  readonly trialPeriods: number | null;
  /** What use costs beside it; asked for with the period that comes next. */
  readonly usagePrices: readonly UsagePriceDto[];
  /** The first period if it were paid now. */
  readonly period: PeriodDto;
  readonly renewalOpensAt: Date;
  /** When the data would be deleted if it were never renewed. */
  readonly dataDeletedAt: Date;
  readonly capacity: CapacityDto;
}

export interface OrderDto {
  readonly id: string;
  readonly status: "awaiting_payment" | "completed" | "cancelled";
  readonly planId: string;
  readonly parameters: Readonly<Record<string, ParameterValueDto>>;
  readonly addons: AddonCountsDto;
  /** What the first period cost. */
  readonly total: MoneyDto;
  /** The part of the total that is tax. */
  readonly taxMinor: bigint;
  readonly placedAt: Date;
  readonly subscription: SubscriptionDto;
}

export interface OrderPageDto {
  readonly items: readonly OrderDto[];
  readonly nextCursor: string | null;
}
