import type { MoneyDto } from "../dto.ts";

/** A payment from the moment at which it was begun. Its times are real, but for `startedAt` and `endedAt`. */
export interface PaymentDto {
  readonly id: string;
  /** created: the gateway was not asked yet. pending: it waits for the customer or for a bank. The others are ends. */
  readonly status: "created" | "pending" | "succeeded" | "failed" | "expired" | "cancelled";
  readonly purpose: "invoice" | "top_up";
  readonly invoiceId: string | null;
  readonly provider: "wallet" | "sandbox";
  /** The saved card that is charged. */
  readonly methodId: string | null;
  /** automatic: a renewal or a top-up, as the customer chose before. */
  readonly origin: "customer" | "automatic";
  readonly amount: MoneyDto;
  /** What came; null until it has succeeded. */
  readonly received: MoneyDto | null;
  /** Where the customer pays, while it is pending. */
  readonly checkoutUrl: string | null;
  /** A word for why it failed, such as `card_declined`. */
  readonly failure: string | null;
  readonly expiresAt: Date;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

export interface PaymentPageDto {
  readonly items: readonly PaymentDto[];
  readonly nextCursor: string | null;
}

/** A card that the gateway keeps. */
export interface PaymentMethodDto {
  readonly id: string;
  /** Such as `Visa 4242`. */
  readonly label: string;
  /** Renewals are charged to it. */
  readonly isAutomatic: boolean;
  readonly savedAt: Date;
  readonly removedAt: Date | null;
}

export interface PaymentMethodPageDto {
  readonly items: readonly PaymentMethodDto[];
  readonly nextCursor: string | null;
}

/** How to pay. */
export interface PaymentChoiceInput {
  /** wallet: at once, all that is left. checkout: on the gateway's page. saved: a card that was kept. */
  readonly method: "wallet" | "checkout" | "saved";
  /** Of `saved`. */
  readonly methodId?: string | undefined;
  /** Of `checkout`: the card is kept for later. */
  readonly savesMethod?: boolean | undefined;
  readonly idempotencyKey: string;
}

export interface StartPaymentInput extends PaymentChoiceInput {
  readonly invoiceId: string;
}

export interface PaymentInput {
  readonly paymentId: string;
}

export interface CancelPaymentInput {
  readonly paymentId: string;
  readonly idempotencyKey: string;
}

export interface ListPaymentsInput {
  readonly invoiceId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface PaymentMethodInput {
  readonly methodId: string;
}

export interface SetAutomaticInput {
  readonly methodId: string;
  readonly isAutomatic: boolean;
}
