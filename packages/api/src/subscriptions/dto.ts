import type { MoneyDto, OfferingRefDto, QuoteLineDto } from "../dto.ts";

export type SubscriptionStatusDto = "pending" | "active" | "past_due" | "expired" | "cancelled";

export interface NextInvoiceDto {
  readonly id: string;
  /** open: money is waited for. paid: it goes on. */
  readonly status: "draft" | "open" | "paid" | "void" | "uncollectible";
  readonly total: MoneyDto;
  readonly dueAt: Date | null;
}

export interface NextPlanDto {
  readonly id: string;
  readonly name: string;
  readonly price: MoneyDto;
}

export interface SubscriptionDto {
  readonly id: string;
  readonly status: SubscriptionStatusDto;
  readonly orderId: string | null;
  readonly instanceId: string;
  readonly instanceName: string;
  readonly offering: OfferingRefDto;
  readonly planId: string;
  readonly planName: string;
  /** Per period, as it was when it was ordered. */
  readonly price: MoneyDto;
  /** Another plan that begins with the next period, and its price. */
  readonly nextPlan: NextPlanDto | null;
  readonly interval: "P30D" | "P1M";
  readonly gracePeriodDays: number;
  readonly pastDueDays: number;
  /** Raised by each payment after an expiry. */
  readonly termNumber: number;
  readonly periodIndex: number;
  readonly currentPeriodStart: Date | null;
  readonly currentPeriodEnd: Date | null;
  /** True: it is not renewed. The app runs until the period ends. */
  readonly cancelAtPeriodEnd: boolean;
  readonly orderedAt: Date;
  readonly activatedAt: Date | null;
  readonly pastDueAt: Date | null;
  readonly expiredAt: Date | null;
  /** When the data is deleted unless it is renewed. */
  readonly graceEndsAt: Date | null;
  readonly cancelledAt: Date | null;
  readonly cancelReason: "customer" | "order_expired" | "provisioning_failed" | "grace_over" | "operator" | null;
  /** Since when the app is stopped at its spending cap; null while it is not. */
  readonly cappedAt: Date | null;
  /** When nothing of the app was left. */
  readonly purgedAt: Date | null;
  /** For what comes next; null while nothing is asked for. */
  readonly nextInvoice: NextInvoiceDto | null;
}

export interface SubscriptionPageDto {
  readonly items: readonly SubscriptionDto[];
  readonly nextCursor: string | null;
}

export interface SubscriptionInput {
  readonly subscriptionId: string;
}

export interface ChangeSubscriptionInput {
  readonly subscriptionId: string;
  /** 8 to 128 characters of `A-Z a-z 0-9 _ -`, made up by the client for this one intention. */
  readonly idempotencyKey: string;
}

export interface CancelNowInput {
  readonly subscriptionId: string;
  /** The app's name, typed again: nothing brings its data back. */
  readonly confirmName: string;
  readonly idempotencyKey: string;
}

export interface PreviewChangeInput {
  readonly subscriptionId: string;
  readonly planId: string;
  /** now: the rest of the running period is charged. period_end: from the next period on. */
  readonly moment: "now" | "period_end";
}

export interface ChangePlanInput extends PreviewChangeInput {
  /** As the preview said; a quarter of an hour old at most. */
  readonly at: Date;
  readonly priceKey: string;
  readonly idempotencyKey: string;
}

/** What another plan would cost. Handed back with `at` and `priceKey` it is what is booked. */
export interface PlanChangePreviewDto {
  /**
   * Per period, before and after, without what a coupon takes off: that runs out, and these do not. `due` is what is booked, with the
   * coupon that the running period was paid with; what the next invoice asks for stands in `invoices.previewNext`.
   */
  readonly priceBefore: MoneyDto;
  readonly priceAfter: MoneyDto;
  /** What each period costs then, in parts. */
  readonly lines: readonly QuoteLineDto[];
  /** To be paid now, for the rest of the running period. Nothing is given back for it. */
  readonly due: MoneyDto;
  readonly startsAt: Date;
  readonly at: Date;
  readonly priceKey: string;
}
