import { getInvoiceRow, type InvoiceRow, restOf, totalOfLines } from "../billing/index.ts";
import type { Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import {
  bringsBack,
  draftInvoice,
  type LoadedSubscription,
  type InvoiceDraft,
  openDraft,
  payAndFollow,
  tryHoldRoom,
} from "../subscriptions/index.ts";
import { deriveTaxes, ratesOf } from "../taxes/index.ts";
import { creditWallet, keepInWallet, lockWallet } from "../wallet/index.ts";
import { noteFilledTopUp } from "./auto-top-up.ts";
import type { IntentRow } from "./intent.ts";
import { factsOf } from "./intent-store.ts";

/**
 * Puts money that has come for an invoice where it belongs. The invoice is read under the subscription's lock: is it open, it is
 * paid. Was it given up because the app expired, and the data is still there, the same app comes back in a new term. Whatever finds
 * nothing to pay, or no room for the app, goes to the wallet; it is never lost and never refused.
 */
export async function placeMoney(
  tx: Tx,
  loaded: LoadedSubscription,
  intent: IntentRow,
  receivedMinor: bigint,
): Promise<void> {
  const { currency } = intent;
  await lockWallet(tx, currency);
  const found = await findPayable(tx, loaded, intent, receivedMinor);
  let left = receivedMinor;
  if (found.invoice !== null) {
    const { amountMinor: rest } = restOf(found.invoice);
    const amountMinor = left < rest ? left : rest;
    await payAndFollow(tx, loaded, found.invoice, {
      provider: "sandbox",
      reference: intent.id,
      amountMinor,
      currency,
    });
    left -= amountMinor;
  }
  if (left > 0n) await keep(tx, loaded, intent, left, found.reason ?? "overpaid");
  await enqueue(tx, "subscription:reconcile", { subscriptionId: loaded.subscription.id });
}

type Reason = "invoice_closed" | "no_room" | "overpaid";
type Payable =
  { readonly invoice: InvoiceRow; readonly reason: null } | { readonly invoice: null; readonly reason: Reason };

async function findPayable(
  tx: Tx,
  loaded: LoadedSubscription,
  intent: IntentRow,
  receivedMinor: bigint,
): Promise<Payable> {
  const { subscription, nextInvoice } = loaded;
  const asked = await getInvoiceRow(tx, intent.invoiceId ?? "");
  const isForReturn = bringsBack(subscription, asked);
  if (asked.status === "open") {
    const isWhole = receivedMinor >= restOf(asked).amountMinor;
    if (isForReturn && isWhole && !(await tryHoldRoom(tx, subscription))) return { invoice: null, reason: "no_room" };
    return { invoice: asked, reason: null };
  }
  // Paid twice, cancelled, or something else is on its way for the app's return.
  const isFree = nextInvoice === null || (nextInvoice.status === "open" && nextInvoice.liveIntentId === null);
  if (!isForReturn || asked.status === "paid" || !isFree) return { invoice: null, reason: "invoice_closed" };
  const next = nextInvoice ?? (await draftInvoice(tx, subscription));
  if (receivedMinor < (await priceOf(tx, next))) return { invoice: null, reason: "invoice_closed" };
  if (!(await tryHoldRoom(tx, subscription))) return { invoice: null, reason: "no_room" };
  return { invoice: "status" in next ? next : await openDraft(tx, next), reason: null };
}

/** What is left of an invoice, or would be asked for by one that is only drafted, with its taxes. */
async function priceOf(tx: Tx, next: InvoiceRow | InvoiceDraft): Promise<bigint> {
  if ("status" in next) return restOf(next).amountMinor;
  return deriveTaxes(totalOfLines(next.lines), await ratesOf(tx, tx.now)).totalMinor;
}

async function keep(
  tx: Tx,
  { subscription, instance }: LoadedSubscription,
  intent: IntentRow,
  amountMinor: bigint,
  reason: Reason,
): Promise<void> {
  const { id, currency } = intent;
  const source = { type: "intent", id } as const;
  const about = { subscriptionId: subscription.id, instanceId: instance.id };
  const facts = { ...factsOf(intent), amountMinor: amountMinor.toString(), why: reason };
  await keepInWallet(tx, { source, key: `intent:${id}`, amountMinor, currency, about, facts });
  // For whoever runs the house: a customer has paid for an app that has no place.
  if (reason === "no_room") record(tx, { type: "payment.foundNoRoom", ...about, subject: source, data: facts });
}

/** Money that was paid ahead. */
export async function topUpWallet(tx: Tx, intent: IntentRow, amountMinor: bigint): Promise<void> {
  const { id, currency } = intent;
  const source = { type: "intent", id } as const;
  await creditWallet(tx, {
    kind: "wallet_topped_up",
    source,
    key: `intent:${id}`,
    other: "cash",
    amountMinor,
    currency,
  });
  record(tx, {
    type: "wallet.toppedUp",
    subject: source,
    data: { ...factsOf(intent), amountMinor: amountMinor.toString() },
  });
  if (intent.origin === "automatic") await noteFilledTopUp(tx, intent);
}
