import { createHash } from "node:crypto";
import { cards } from "../payments/cards.ts";
import { formatMoney } from "../payments/money.ts";
import type { Payment, PaymentState } from "../payments/payment.ts";

const notices: Readonly<Record<Exclude<PaymentState, "pending">, string>> = {
  processing: "Your payment is under way.",
  succeeded: "This is paid. Thank you.",
  failed: "This could not be paid.",
  expired: "The time to pay this is over.",
  cancelled: "This was cancelled. You owe nothing.",
};

const failures: Readonly<Record<string, string>> = {
  card_declined: "Your card was declined. Try another one.",
  insufficient_funds: "There is not enough money on this card. Try another one.",
};

export function renderCheckout(payment: Payment): string {
  const { order, state, failure, checkoutId } = payment;
  const back = `<p><a href="${escape(order.returnUrl)}">Back to the shop</a></p>`;
  const heading = `<p class="amount">${escape(formatMoney(order))}</p><p>${escape(order.description)}</p>`;
  if (state !== "pending") return renderPage(`${heading}<p role="status">${notices[state]}</p>${back}`);
  const declined = failure === null ? "" : `<p role="alert">${escape(failures[failure] ?? "That did not work.")}</p>`;
  const action = `/checkout/${escape(checkoutId ?? "")}/pay`;
  return renderPage(
    [
      heading,
      declined,
      renderCardForm(action, order.savesMethod),
      renderForm(action, "virtual_account", "Virtual account", accountNumber(payment), "I have transferred it"),
      renderForm(action, "qris", "QRIS", `SANDBOX.QRIS.${payment.id}`, "I have scanned and paid it"),
      back,
    ].join("\n"),
  );
}

export function renderMessage(message: string): string {
  return renderPage(`<p role="status">${escape(message)}</p>`);
}

function renderCardForm(action: string, isKept: boolean): string {
  const choices = Object.values(cards).map(
    ({ number, label, what }) => `<option value="${number}">${label} ${what}</option>`,
  );
  return `<form method="post" action="${action}"><h2>Card</h2>
<input type="hidden" name="method" value="card">
<label>Test card <select name="number">${choices.join("")}</select></label>
<label><input type="checkbox" name="keep" value="yes"${isKept ? " checked" : ""}> Keep this card</label>
<button>Pay by card</button></form>`;
}

function renderForm(action: string, method: string, title: string, code: string, button: string): string {
  return `<form method="post" action="${action}"><h2>${title}</h2>
<input type="hidden" name="method" value="${method}">
<p><code>${escape(code)}</code></p>
<button>${button}</button></form>`;
}

/** Sixteen digits, the same for a payment whenever its page is looked at. */
function accountNumber({ id }: Payment): string {
  const digest = BigInt(`0x${createHash("sha256").update(id).digest("hex").slice(0, 16)}`);
  return `8808${(digest % 10n ** 12n).toString().padStart(12, "0")}`;
}

function renderPage(content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox checkout</title>
<style>
body { font-family: system-ui, sans-serif; max-width: 30rem; margin: 2rem auto; padding: 0 1rem; }
form { border: 1px solid #bbb; border-radius: 0.5rem; padding: 0 1rem 1rem; margin: 1rem 0; }
label { display: block; margin: 0.5rem 0; } h2 { font-size: 1rem; } .amount { font-size: 2rem; margin-bottom: 0; }
</style></head>
<body><h1>Sandbox checkout</h1><p>Nobody pays here with real money.</p>
${content}
</body></html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
