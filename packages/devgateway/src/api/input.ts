import { isCurrency, type Money } from "../payments/money.ts";
import type { PaymentOrder, RefundOrder } from "../payments/payment.ts";
import { Refusal } from "../payments/refusal.ts";

type Members = Readonly<Record<string, unknown>>;

const reference = /^[\w.:-]{1,64}$/;
/** Below 2^63, so that every client can store it. */
const amount = /^[1-9]\d{0,17}$/;
const currencyCode = /^[A-Z]{3}$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

export function readPaymentOrder(body: string): PaymentOrder {
  const input = readObject(body, "the body", [
    "reference",
    "amount",
    "currency",
    "description",
    "method",
    "save_method",
    "return_url",
    "expires_at",
  ]);
  const expiresAtMs = Date.parse(text(input, "expires_at", instant));
  if (Number.isNaN(expiresAtMs)) throw invalid("expires_at is no moment that exists.");
  return {
    reference: text(input, "reference", reference),
    ...readMoney(input),
    description: text(input, "description", /^[^\p{Cc}]{1,200}$/u),
    method: readMethod(input["method"]),
    savesMethod: flag(input, "save_method"),
    returnUrl: readUrl(input),
    expiresAtMs,
  };
}

export function readRefundOrder(body: string): RefundOrder {
  const input = readObject(body, "the body", ["reference", "payment_reference", "amount", "currency"]);
  return {
    reference: text(input, "reference", reference),
    paymentReference: text(input, "payment_reference", reference),
    ...readMoney(input),
  };
}

function readMethod(value: unknown): PaymentOrder["method"] {
  if (isObject(value) && value["type"] === "on_file") {
    checkMembers(value, "method", ["type", "token"]);
    return { type: "on_file", token: text(value, "token", /^[\w-]{1,64}$/) };
  }
  if (isObject(value) && value["type"] === "checkout") {
    checkMembers(value, "method", ["type"]);
    return { type: "checkout" };
  }
  throw invalid('method is {"type":"checkout"} or {"type":"on_file","token":"…"}.');
}

/** Amounts are texts of digits: a JSON number would be a float on its way. */
function readMoney(input: Members): Money {
  const money = { amount: BigInt(text(input, "amount", amount)), currency: text(input, "currency", currencyCode) };
  if (!isCurrency(money.currency))
    throw new Refusal(422, "currency_unknown", `No money in ${money.currency} is taken.`);
  return money;
}

/** Only what a browser may be sent to. */
function readUrl(input: Members): string {
  const url = URL.parse(text(input, "return_url", /^[\x21-\x7e]{1,2000}$/));
  if (url === null || !/^https?:$/.test(url.protocol)) throw invalid("return_url is an address with http or https.");
  return url.href;
}

function text(input: Members, name: string, pattern: RegExp): string {
  const value = input[name];
  if (typeof value !== "string" || !pattern.test(value)) throw invalid(`${name} is a text that matches ${pattern}.`);
  return value;
}

function flag(input: Members, name: string): boolean {
  const value = input[name];
  if (typeof value !== "boolean") throw invalid(`${name} is true or false.`);
  return value;
}

function readObject(body: string, what: string, members: readonly string[]): Members {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw invalid("The body is no JSON.");
  }
  if (!isObject(value)) throw invalid(`${what} is an object.`);
  checkMembers(value, what, members);
  return value;
}

/** A member with a wrong name would be a wish that nobody hears. */
function checkMembers(value: Members, what: string, members: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) throw invalid(`${what} has no member ${JSON.stringify(unknown.slice(0, 40))}.`);
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): Refusal {
  return new Refusal(400, "invalid_request", message);
}
