import { secondMs } from "../clock.ts";
import { assert } from "../errors.ts";
import {
  type PaymentProvider,
  type PaymentRequest,
  ProviderRefused,
  ProviderUnavailable,
  type RefundRequest,
} from "./provider.ts";
import { isUnknown, sandboxScales, toPayment, toRefund } from "./sandbox-answers.ts";
import { exchange, type SandboxConnection } from "./sandbox-http.ts";
import { readSandboxNotice } from "./sandbox-notice.ts";
import { toGatewayAmount } from "./scales.ts";

const defaultTimeoutMs = 10 * secondMs;

export interface SandboxProviderOptions {
  /** Where the gateway is, as `http://127.0.0.1:4010`. */
  readonly url: string;
  readonly apiKey: string;
  /** A webhook that fits one of them is the gateway's: two, while they are changed. */
  readonly webhookSecrets: readonly string[];
  /** For one exchange with the gateway; 10 s when left out. */
  readonly timeoutMs?: number;
}

/** The sandbox gateway, which takes no real money. */
export function createSandboxProvider(options: SandboxProviderOptions): PaymentProvider {
  const { webhookSecrets, timeoutMs = defaultTimeoutMs, apiKey } = options;
  assert(/^https?:\/\/[^/]/.test(options.url), "the gateway has an address with http or https");
  // Everybody can sign with an empty secret.
  assert(webhookSecrets.length > 0 && !webhookSecrets.includes(""), "there is a webhook secret, and none is empty");
  const connection: SandboxConnection = { url: options.url.replace(/\/+$/, ""), apiKey, timeoutMs };

  return {
    name: "sandbox",
    async begin(request, signal) {
      const answer = await exchange(connection, {
        method: "POST",
        path: "/v1/payments",
        content: toPaymentOrder(request),
        signal,
      });
      return toPayment(answer, request.reference);
    },
    async lookUp(reference, signal) {
      const path = `/v1/payments/${encodeURIComponent(reference)}`;
      const answer = await exchange(connection, { method: "GET", path, signal });
      return isUnknown(answer, "payment_unknown") ? null : undecidedUnlessRead(() => toPayment(answer, reference));
    },
    async cancel(reference, signal) {
      const path = `/v1/payments/${encodeURIComponent(reference)}/cancel`;
      const answer = await exchange(connection, { method: "POST", path, signal });
      return isUnknown(answer, "payment_unknown") ? null : toPayment(answer, reference);
    },
    async refund(request, signal) {
      const answer = await exchange(connection, {
        method: "POST",
        path: "/v1/refunds",
        content: toRefundOrder(request),
        signal,
      });
      return toRefund(answer, request.reference);
    },
    async lookUpRefund(reference, signal) {
      const path = `/v1/refunds/${encodeURIComponent(reference)}`;
      const answer = await exchange(connection, { method: "GET", path, signal });
      return isUnknown(answer, "refund_unknown") ? null : undecidedUnlessRead(() => toRefund(answer, reference));
    },
    readNotice: (body, headers, now) => readSandboxNotice(webhookSecrets, body, headers, now),
  };
}

/** A question decides nothing: whatever is neither an answer nor "never heard of it" leaves open what became of it. */
function undecidedUnlessRead<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProviderRefused)) throw error;
    throw new ProviderUnavailable(`The gateway does not say: ${error.reason}.`, { cause: error });
  }
}

function toPaymentOrder(request: PaymentRequest): object {
  const { method } = request;
  return {
    reference: request.reference,
    amount: toGatewayAmount(request.amountMinor, request.currency, sandboxScales).toString(),
    currency: request.currency,
    description: request.description,
    method: method.type === "checkout" ? { type: "checkout" } : { type: "on_file", token: method.methodReference },
    save_method: request.savesMethod,
    return_url: request.returnUrl,
    expires_at: request.expiresAt.toISOString(),
  };
}

function toRefundOrder(request: RefundRequest): object {
  return {
    reference: request.reference,
    payment_reference: request.paymentReference,
    amount: toGatewayAmount(request.amountMinor, request.currency, sandboxScales).toString(),
    currency: request.currency,
  };
}
