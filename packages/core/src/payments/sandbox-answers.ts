import { z } from "zod";
import { type ProviderPayment, type ProviderRefund, ProviderRefused, ProviderUnavailable } from "./provider.ts";
import type { SandboxAnswer } from "./sandbox-http.ts";
import { fromGatewayAmount, type GatewayScales } from "./scales.ts";

/**
 * Decimal places of the sandbox. It counts Rupiah in sen, as one international gateway does and no Indonesian one, so that a forgotten
 * conversion is seen on a laptop.
 */
export const sandboxScales: GatewayScales = { EUR: 2, IDR: 2, JPY: 0, KWD: 3, MYR: 2, SGD: 2, USD: 2 };

/** Digits in a text: a JSON number could have been a float on its way. */
const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,17})$/)
  .transform(BigInt);
const currency = z.string().regex(/^[A-Z]{3}$/);
const word = z.string().min(1).max(100);

const sandboxPayment = z.object({
  id: word,
  reference: word,
  state: z.enum(["pending", "processing", "succeeded", "failed", "expired", "cancelled"]),
  amount,
  currency,
  received: z.object({ amount, currency }).nullable(),
  failure: word.nullable(),
  checkout_url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable(),
  saved_method: z.object({ token: word, label: word }).nullable(),
  succeeded_at: z.iso.datetime().nullable(),
});

const sandboxRefund = z.object({
  id: word,
  reference: word,
  state: z.enum(["pending", "succeeded", "failed"]),
  amount,
  currency,
  failure: word.nullable(),
});

const sandboxError = z.object({ error: z.object({ code: word, message: z.string().max(1_000) }) });

/**
 * 4xx that are no decision about what was asked. Our key, the pace and the network say nothing about a payment, and a reference that stands
 * for something else means that something was done under it: `lookUp` tells what.
 */
const undecided: ReadonlySet<number> = new Set([401, 403, 408, 409, 425, 429]);

/** The payment that an answer tells of. Throws `ProviderRefused` and `ProviderUnavailable`. */
export function toPayment(answer: SandboxAnswer, reference: string): ProviderPayment {
  const payment = read(sandboxPayment, answer, reference);
  // What came counts, not what was asked for.
  const money = payment.received ?? payment;
  return {
    reference,
    providerReference: payment.id,
    state: payment.state === "processing" ? "pending" : payment.state,
    ...toMoney(money),
    failure: payment.failure,
    checkoutUrl: payment.checkout_url,
    method:
      payment.saved_method === null
        ? null
        : { methodReference: payment.saved_method.token, label: payment.saved_method.label },
    succeededAt: payment.succeeded_at === null ? null : new Date(payment.succeeded_at),
  };
}

export function toRefund(answer: SandboxAnswer, reference: string): ProviderRefund {
  const refund = read(sandboxRefund, answer, reference);
  const { id, state, failure } = refund;
  return { reference, providerReference: id, state, ...toMoney(refund), failure };
}

/** Whether the gateway itself says that it never heard of it. A 404 of anything in between says nothing. */
export function isUnknown({ status, body }: SandboxAnswer, code: "payment_unknown" | "refund_unknown"): boolean {
  const error = sandboxError.safeParse(body);
  return status === 404 && error.success && error.data.error.code === code;
}

function read<T extends { readonly reference: string }>(
  schema: z.ZodType<T>,
  { status, body }: SandboxAnswer,
  reference: string,
): T {
  if (status < 200 || status > 299) throw refusalOf(status, body);
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new ProviderUnavailable(`The answer of the gateway cannot be read (status ${status}).`);
  if (parsed.data.reference !== reference) {
    throw new ProviderUnavailable("The answer of the gateway is about another reference.");
  }
  return parsed.data;
}

/** Only the gateway's own no counts, in its own words; a proxy that says no has decided nothing. */
function refusalOf(status: number, body: unknown): ProviderRefused | ProviderUnavailable {
  const parsed = sandboxError.safeParse(body);
  if (!parsed.success) return new ProviderUnavailable(`The gateway answered ${status}.`);
  const { code, message } = parsed.data.error;
  if (status < 400 || status > 499 || undecided.has(status)) {
    return new ProviderUnavailable(`The gateway answered ${status} ${code}.`);
  }
  return new ProviderRefused(code, message);
}

function toMoney(money: { readonly amount: bigint; readonly currency: string }): {
  readonly amountMinor: bigint;
  readonly currency: string;
} {
  const amountMinor = fromGatewayAmount(money.amount, money.currency, sandboxScales);
  if (amountMinor !== null) return { amountMinor, currency: money.currency };
  throw new ProviderUnavailable(
    `The gateway tells of ${money.amount} in ${money.currency}, which we cannot say exactly.`,
  );
}
