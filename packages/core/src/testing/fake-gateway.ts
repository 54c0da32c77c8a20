import {
  NoticeRefused,
  type PaymentProvider,
  type PaymentRequest,
  type ProviderPayment,
  type ProviderPaymentState,
  type ProviderRefund,
  ProviderRefused,
  ProviderUnavailable,
  type RefundRequest,
} from "../payments/index.ts";

/** What a gateway does wrong, or a network before it. Each stands until it is taken back. */
export interface GatewayFaults {
  /** It does what it was asked, and its answer is lost. */
  losesAnswers: boolean;
  /** It hears nothing. */
  isDown: boolean;
  /** Saved cards are refused. */
  declines: boolean;
  /** Says no to refunds. */
  refusesRefunds: boolean;
  /** Takes its time over refunds and saved cards. */
  isSlow: boolean;
}

/** A payment gateway in memory that never takes money twice for one reference, and keeps books of its own to compare with. */
export interface FakeGateway extends PaymentProvider {
  readonly faults: GatewayFaults;
  /** Every call, as `begin <reference>`. */
  readonly calls: readonly string[];
  /** A customer pays on the page of a payment; late too, after it has expired or was cancelled, as banks do. */
  pay(reference: string, amountMinor?: bigint): void;
  expire(reference: string): void;
  /** What was slow is done. */
  finish(): void;
  state(reference: string): ProviderPaymentState | null;
  /** What it holds: taken, less what it gave back. */
  readonly heldMinor: bigint;
  /** A webhook about a payment or a refund, as it would be delivered; `eventId` makes it one that was delivered before. */
  notice(
    reference: string,
    options?: { readonly type?: "payment" | "refund"; readonly eventId?: string },
  ): { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> };
}

const signature = "signed by the gateway";

export function createFakeGateway(): FakeGateway {
  const payments = new Map<string, ProviderPayment>();
  const refunds = new Map<string, ProviderRefund & { readonly paymentReference: string }>();
  const wanted = new Map<string, PaymentRequest>();
  const calls: string[] = [];
  const faults: GatewayFaults = {
    losesAnswers: false,
    isDown: false,
    declines: false,
    refusesRefunds: false,
    isSlow: false,
  };
  let events = 0;

  const answer = async <T>(call: string, work: () => T): Promise<T> => {
    calls.push(call);
    await Promise.resolve();
    if (faults.isDown) throw new ProviderUnavailable("Nobody answers.");
    const result = work();
    if (faults.losesAnswers) throw new ProviderUnavailable("The answer was lost.");
    return result;
  };
  const change = (reference: string, values: Partial<ProviderPayment>): ProviderPayment => {
    const before = payments.get(reference);
    if (before === undefined) throw new Error("The gateway never heard of it.");
    const after = { ...before, ...values };
    payments.set(reference, after);
    return after;
  };
  const take = (reference: string, amountMinor?: bigint): ProviderPayment => {
    const request = wanted.get(reference);
    const keepsCard = request?.savesMethod === true;
    return change(reference, {
      state: "succeeded",
      succeededAt: new Date(0),
      checkoutUrl: null,
      method: keepsCard ? { methodReference: `card of ${reference}`, label: "Visa 4242" } : null,
      ...(amountMinor === undefined ? {} : { amountMinor }),
    });
  };
  const begin = (request: PaymentRequest): ProviderPayment => {
    const { reference, amountMinor, currency, method } = request;
    const known = payments.get(reference);
    if (known !== undefined) return known;
    wanted.set(reference, request);
    const isCheckout = method.type === "checkout";
    payments.set(reference, {
      reference,
      providerReference: `gw_${payments.size + 1}`,
      state: "pending",
      amountMinor,
      currency,
      failure: null,
      checkoutUrl: isCheckout ? `https://gateway.test/pay/${reference}` : null,
      method: null,
      succeededAt: null,
    });
    if (isCheckout || faults.isSlow) return change(reference, {});
    return faults.declines ? change(reference, { state: "failed", failure: "card_declined" }) : take(reference);
  };
  const refund = ({ reference, paymentReference, amountMinor, currency }: RefundRequest): ProviderRefund => {
    const known = refunds.get(reference);
    if (known !== undefined) return known;
    if (faults.refusesRefunds) throw new ProviderRefused("refund_refused", "No.");
    const payment = payments.get(paymentReference);
    const given = [...refunds.values()].filter((other) => other.paymentReference === paymentReference);
    const left = (payment?.amountMinor ?? 0n) - given.reduce((sum, other) => sum + other.amountMinor, 0n);
    if (payment?.state !== "succeeded" || amountMinor > left) throw new ProviderRefused("too_much", "No.");
    const state = faults.isSlow ? "pending" : "succeeded";
    const made = { reference, providerReference: `gwr_${refunds.size + 1}`, amountMinor, currency, failure: null };
    refunds.set(reference, { ...made, state, paymentReference });
    return { ...made, state };
  };

  return {
    name: "sandbox",
    faults,
    calls,
    begin: (request) => answer(`begin ${request.reference}`, () => begin(request)),
    lookUp: (reference) => answer(`lookUp ${reference}`, () => payments.get(reference) ?? null),
    cancel: (reference) =>
      answer(`cancel ${reference}`, () =>
        payments.get(reference)?.state === "pending"
          ? change(reference, { state: "cancelled", checkoutUrl: null })
          : (payments.get(reference) ?? null),
      ),
    refund: (request) => answer(`refund ${request.reference}`, () => refund(request)),
    lookUpRefund: (reference) => answer(`lookUpRefund ${reference}`, () => refunds.get(reference) ?? null),
    readNotice(body, headers) {
      if (headers["signature"] !== signature) throw new NoticeRefused("Not signed by the gateway.");
      const { eventId, type, reference } = JSON.parse(Buffer.from(body).toString()) as Record<string, string>;
      const subject = type === "refund" || type === "payment" ? { type, reference: reference ?? "" } : null;
      return { eventId: eventId ?? "", type: `${type}.changed`, subject } as ReturnType<PaymentProvider["readNotice"]>;
    },
    pay: (reference, amountMinor) => void take(reference, amountMinor),
    expire: (reference) => void change(reference, { state: "expired", checkoutUrl: null }),
    finish() {
      for (const { reference, state } of payments.values()) {
        if (state === "pending" && wanted.get(reference)?.method.type === "on_file") take(reference);
      }
      for (const [reference, made] of refunds) refunds.set(reference, { ...made, state: "succeeded" });
    },
    state: (reference) => payments.get(reference)?.state ?? null,
    get heldMinor() {
      const taken = [...payments.values()].filter(({ state }) => state === "succeeded");
      const given = [...refunds.values()].filter(({ state }) => state === "succeeded");
      const sum = (rows: readonly { readonly amountMinor: bigint }[]) =>
        rows.reduce((total, { amountMinor }) => total + amountMinor, 0n);
      return sum(taken) - sum(given);
    },
    notice(reference, { type = "payment", eventId } = {}) {
      events += 1;
      const body = JSON.stringify({ eventId: eventId ?? `evt_${events}`, type, reference });
      return { body: Buffer.from(body), headers: { signature } };
    },
  };
}
