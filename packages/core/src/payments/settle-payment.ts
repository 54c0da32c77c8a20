import { getInvoiceRow, setLiveIntent } from "../billing/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import { giveRoomBack, type LoadedSubscription, loadForUpdate } from "../subscriptions/index.ts";
import { noteFailedTopUp } from "./auto-top-up.ts";
import { noteFailedCollection } from "./collections.ts";
import { type IntentRow, isLive, nextLook, nextLookAfterEnd } from "./intent.ts";
import { factsOf, getIntent, lockIntent, updateIntent } from "./intent-store.ts";
import { saveMethod } from "./methods.ts";
import { placeMoney, topUpWallet } from "./place-money.ts";
import type { ProviderPayment } from "./provider.ts";

/** What is known of a payment: an answer of the provider, or that it ended without one. */
export type Outcome =
  ProviderPayment | { readonly state: "failed" | "expired" | "cancelled"; readonly failure?: string };

/**
 * Writes what became of a payment and lets everything follow, under the lock of the subscription that it pays for. Money that
 * came is booked once: a payment that has succeeded is not looked at again.
 */
export async function settlePayment(tx: Tx, intentId: string, outcome: Outcome): Promise<void> {
  const { invoiceId } = await getIntent(tx, intentId);
  const loaded =
    invoiceId === null ? null : await loadForUpdate(tx, (await getInvoiceRow(tx, invoiceId)).subscriptionId);
  const intent = await lockIntent(tx, intentId);
  if (intent.status === "succeeded") return;
  if ("reference" in outcome && outcome.state === "succeeded") return succeed(tx, loaded, intent, outcome);
  if (!isLive(intent)) return noteLook(tx, intent);
  if (outcome.state === "pending") return wait(tx, intent, outcome);
  assert(outcome.state !== "succeeded", "who says that it succeeded says how much came");
  return end(tx, loaded, intent, outcome.state, outcome.failure ?? null);
}

async function succeed(
  tx: Tx,
  loaded: LoadedSubscription | null,
  intent: IntentRow,
  answer: ProviderPayment,
): Promise<void> {
  const { amountMinor: receivedMinor, currency, providerReference, method } = answer;
  assert(currency === intent.currency, "a provider takes money in the currency in which it was asked");
  assert(receivedMinor > 0n, "a payment that succeeded brings something");
  await updateIntent(tx, intent.id, {
    status: "succeeded",
    receivedMinor,
    providerReference,
    checkoutUrl: null,
    failure: null,
    nextLookAt: null,
    endedAt: tx.now,
  });
  if (method !== null && intent.savesMethod) await saveMethod(tx, method);
  if (loaded === null) return topUpWallet(tx, intent, receivedMinor);
  await release(tx, intent);
  await placeMoney(tx, loaded, intent, receivedMinor);
}

async function wait(tx: Tx, intent: IntentRow, outcome: Outcome): Promise<void> {
  assert("reference" in outcome, "only a provider says that it waits");
  const { providerReference, checkoutUrl } = outcome;
  const looks = intent.status === "pending" ? intent.looks + 1 : 0;
  const waiting = { status: "pending" as const, looks, expiresAt: intent.expiresAt };
  await updateIntent(tx, intent.id, {
    status: "pending",
    providerReference,
    checkoutUrl,
    looks,
    nextLookAt: nextLook(waiting, tx.ctx.clock.now()),
  });
  if (intent.status === "pending") return;
  const data = { ...factsOf(intent), expiresAt: intent.expiresAt.toISOString() };
  record(tx, { type: "payment.awaited", subject: { type: "intent", id: intent.id }, data });
}

async function end(
  tx: Tx,
  loaded: LoadedSubscription | null,
  intent: IntentRow,
  status: "failed" | "expired" | "cancelled",
  failure: string | null,
): Promise<void> {
  const now = tx.ctx.clock.now();
  await updateIntent(tx, intent.id, {
    status,
    failure,
    checkoutUrl: null,
    looks: 0,
    nextLookAt: intent.askedAt === null ? null : nextLookAfterEnd(0, now),
    endedAt: tx.now,
  });
  record(tx, {
    type: "payment.failed",
    subject: { type: "intent", id: intent.id },
    data: { ...factsOf(intent), status, failure },
  });
  if (loaded === null) {
    if (intent.origin === "automatic") await noteFailedTopUp(tx, intent);
    return;
  }
  const { subscription } = loaded;
  await release(tx, intent);
  await giveRoomBack(tx, subscription);
  // Paid or given up meanwhile, there is nothing to collect any more.
  const isWanted = (await getInvoiceRow(tx, intent.invoiceId ?? "")).status === "open";
  if (intent.origin === "automatic" && isWanted) {
    await noteFailedCollection(tx, subscription, intent, failure ?? status);
  }
  // Something may have waited for what became of this.
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}

/** The invoice is free for another payment. */
async function release(tx: Tx, { id, invoiceId }: IntentRow): Promise<void> {
  if (invoiceId === null) return;
  const { liveIntentId } = await getInvoiceRow(tx, invoiceId);
  if (liveIntentId === id) await setLiveIntent(tx, invoiceId, null);
}

/**
 * It has ended before, and nothing new is known. Only a look that was due counts: one that a notice asked for takes none away of those
 * that are to come. Of one that nobody was asked for nothing will be known.
 */
async function noteLook(tx: Tx, intent: IntentRow): Promise<void> {
  const now = tx.ctx.clock.now();
  if (intent.nextLookAt === null || intent.nextLookAt > now) return;
  const looks = intent.looks + 1;
  await updateIntent(tx, intent.id, { looks, nextLookAt: nextLookAfterEnd(looks, now) });
}
