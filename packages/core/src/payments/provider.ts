/**
 * A payment gateway, as we need it: card on file and payments that a customer makes elsewhere (virtual account, QRIS, hosted card
 * page) alike. Every call bears a reference of ours that was written down before the call; asked again with the same reference a
 * provider answers about the same payment and never takes money twice.
 *
 * Each call rejects with `ProviderRefused` when the provider has said no, and nothing was done; and with `ProviderUnavailable` when nobody
 * knows what was done: then `lookUp` tells, and nothing is asked for anew.
 */
export interface PaymentProvider {
  readonly name: PaymentProviderName;
  /** Asks for money. */
  begin(request: PaymentRequest, signal: AbortSignal): Promise<ProviderPayment>;
  /** What became of a payment; null when the provider never heard of the reference. */
  lookUp(reference: string, signal: AbortSignal): Promise<ProviderPayment | null>;
  /**
   * Lets nobody pay any more, unless it is paid: then the answer says so. Asked again of what is over it answers what became of it, for
   * money may come late; a refusal says nothing. Null when the provider never heard of it.
   */
  cancel(reference: string, signal: AbortSignal): Promise<ProviderPayment | null>;
  /** Gives back a part or all of a payment. */
  refund(request: RefundRequest, signal: AbortSignal): Promise<ProviderRefund>;
  lookUpRefund(reference: string, signal: AbortSignal): Promise<ProviderRefund | null>;
  /** Verifies and reads what a webhook brought, on the raw bytes; throws `NoticeRefused`. */
  readNotice(body: Uint8Array, headers: Readonly<Record<string, string | undefined>>, now: Date): ProviderNotice;
}

export type PaymentProviderName = "sandbox";

export interface PaymentRequest {
  /** Ours: the id of the intent. */
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Shown to who pays; no personal data. */
  readonly description: string;
  readonly method: { readonly type: "checkout" } | { readonly type: "on_file"; readonly methodReference: string };
  /** Whether the customer wants the card kept for later. */
  readonly savesMethod: boolean;
  /** Where the checkout page sends the customer when it is done. */
  readonly returnUrl: string;
  /** The checkout closes then. */
  readonly expiresAt: Date;
}

export type ProviderPaymentState = "pending" | "succeeded" | "failed" | "expired" | "cancelled";

export interface ProviderPayment {
  readonly reference: string;
  /** The provider's own id. */
  readonly providerReference: string;
  readonly state: ProviderPaymentState;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** A word of the provider for why it failed, such as `card_declined`. */
  readonly failure: string | null;
  /** Where the customer pays, while it is pending and was asked for so. */
  readonly checkoutUrl: string | null;
  /** The card, if it was to be kept and is. */
  readonly method: SavedMethod | null;
  /** When the money was taken. */
  readonly succeededAt: Date | null;
}

export interface SavedMethod {
  readonly methodReference: string;
  /** As the customer knows it, such as `Visa 4242`. */
  readonly label: string;
}

export interface RefundRequest {
  /** Ours: the id of the refund. */
  readonly reference: string;
  /** The reference of the payment. */
  readonly paymentReference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
}

export interface ProviderRefund {
  readonly reference: string;
  readonly providerReference: string;
  /** `failed` is for good: the money stays, and is given back in another way. */
  readonly state: "pending" | "succeeded" | "failed";
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly failure: string | null;
}

/** What a webhook says. It is a prompt: what counts is what `lookUp` answers. */
export interface ProviderNotice {
  /** Of the provider; the same when it is delivered again. */
  readonly eventId: string;
  readonly type: string;
  /** The payment or refund of ours that it is about; null for news of something else. */
  readonly subject: { readonly type: "payment" | "refund"; readonly reference: string } | null;
}

/** The provider said no, and nothing was done. */
export class ProviderRefused extends Error {
  override readonly name = "ProviderRefused";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Nobody knows what was done. */
export class ProviderUnavailable extends Error {
  override readonly name = "ProviderUnavailable";
}

/** A webhook that is not the provider's, is too old, or cannot be read. Nothing of it is kept. */
export class NoticeRefused extends Error {
  override readonly name = "NoticeRefused";
}
