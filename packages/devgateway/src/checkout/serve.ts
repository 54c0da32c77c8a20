import type { IncomingMessage } from "node:http";
import { type Answer, readBody } from "../api/http.ts";
import type { Gateway } from "../payments/gateway.ts";
import type { Payment } from "../payments/payment.ts";
import { type PayWith, payPayment } from "../payments/payments.ts";
import { Refusal } from "../payments/refusal.ts";
import { renderCheckout, renderMessage } from "./page.ts";

const route = /^\/checkout\/([\w-]+)(\/pay)?$/;

/** The page where a customer pays. Its address is what lets somebody in; it is told to nobody by a referrer. */
export async function serveCheckout(gateway: Gateway, request: IncomingMessage, path: string): Promise<Answer> {
  const match = route.exec(path);
  const payment = gateway.store.checkout(match?.[1] ?? "");
  if (match === null || payment === null) return page(404, renderMessage("There is no such checkout."), null);
  const pays = match[2] !== undefined;
  if (request.method !== (pays ? "POST" : "GET")) return page(405, renderMessage("That cannot be done here."), null);
  if (!pays) return page(200, renderCheckout(payment), payment);
  const home = `/checkout/${payment.checkoutId ?? ""}`;
  try {
    const form = new URLSearchParams(await readBody(request));
    const { state } = payPayment(gateway, payment, readForm(form));
    // Declined: the page says why, and another card can be tried.
    return seeOther(state === "succeeded" || state === "processing" ? payment.order.returnUrl : home);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // A button pressed twice: the page shows what became of it.
    if (error.code === "not_payable") return seeOther(home);
    return page(error.status, renderMessage(error.message), payment);
  }
}

function readForm(form: URLSearchParams): PayWith {
  const method = form.get("method");
  if (method === "virtual_account" || method === "qris") return { type: method };
  if (method === "card") return { type: "card", number: form.get("number") ?? "", isKept: form.get("keep") === "yes" };
  throw new Refusal(400, "invalid_request", "Choose how to pay.");
}

function seeOther(location: string): Answer {
  return { status: 303, body: "", headers: { location } };
}

/** A form may lead here and, by the redirect after it, back to the shop. */
function page(status: number, body: string, payment: Payment | null): Answer {
  const shop = payment === null ? "" : ` ${new URL(payment.order.returnUrl).origin}`;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; form-action 'self'${shop}; frame-ancestors 'none'; base-uri 'none'`;
  return { status, body, headers: { "content-security-policy": policy, "referrer-policy": "no-referrer" } };
}
