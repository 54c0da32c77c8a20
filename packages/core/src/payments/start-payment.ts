import { assertNotParked } from "../accounts/index.ts";
import { getInvoiceRow, type InvoiceRow, restOf, setLiveIntent } from "../billing/index.ts";
import { addMs, hourMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { authorize } from "../permissions.ts";
import {
  bringsBack,
  holdRoom,
  type LoadedSubscription,
  loadForUpdate,
  payAndFollow,
  reserveRoom,
} from "../subscriptions/index.ts";
import { lockWallet } from "../wallet/index.ts";
import { createIntent, getIntent, insertWalletIntent } from "./intent-store.ts";
import type { IntentRow } from "./intent.ts";
import { getUsableMethod } from "./methods.ts";
import { requireProvider } from "./require-provider.ts";

export interface PaymentChoice {
  /** wallet: all that is left, at once. checkout: on the provider's page. saved: a card that was kept. */
  readonly method: "wallet" | "checkout" | "saved";
  /** Of `saved`. */
  readonly methodId?: string | undefined;
  /** Of `checkout`: the card is kept for later. */
  readonly savesMethod?: boolean | undefined;
}

/**
 * Begins to pay what is left of an open invoice. One payment at a time can be under way for it: asked for in the same way again,
 * it is that one; in another way PAYMENT_IN_PROGRESS. For an expired subscription room is held first (CAPACITY), and kept while
 * the payment is under way. ACCOUNT_PARKED while no money moves.
 */
export async function startPayment(
  ctx: CoreContext,
  input: PaymentChoice & { readonly invoiceId: string; readonly idempotencyKey: string },
): Promise<IntentRow> {
  authorize(ctx.actor, "payment.write");
  const { idempotencyKey: key, ...request } = input;
  return once(ctx, { key, procedure: "payments.start", input: request }, async (tx) => {
    await assertNotParked(tx);
    const { subscriptionId } = await getInvoiceRow(tx, input.invoiceId);
    const loaded = await loadForUpdate(tx, subscriptionId);
    const invoice = await getInvoiceRow(tx, input.invoiceId);
    if (invoice.status !== "open") throw new DomainError("INVALID_TRANSITION", `The invoice is ${invoice.status}.`);
    // The next period of what costs nothing waits for its customer's word, and not for money.
    if (restOf(invoice).amountMinor === 0n) throw new DomainError("INVALID_TRANSITION", "It costs nothing: renew it.");
    if (invoice.liveIntentId !== null) return sameAsLive(await getIntent(tx, invoice.liveIntentId), input);
    const atMostMs = timeLeftMs(tx, loaded, invoice);
    if (input.method !== "wallet") return startAtProvider(tx, loaded, invoice, input, atMostMs);
    if (bringsBack(loaded.subscription, invoice)) {
      await lockWallet(tx, invoice.currency);
      await holdRoom(tx, loaded.subscription);
    }
    return payFromWallet(tx, loaded, invoice, { ...restOf(invoice), origin: "customer" });
  });
}

/** Takes a part or all of what is left out of the wallet, or throws INSUFFICIENT_FUNDS. */
export async function payFromWallet(
  tx: Tx,
  loaded: LoadedSubscription,
  invoice: InvoiceRow,
  { amountMinor, currency, origin }: Pick<IntentRow, "amountMinor" | "currency" | "origin">,
): Promise<IntentRow> {
  const intent = await insertWalletIntent(tx, { invoiceId: invoice.id, amountMinor, currency, origin });
  await payAndFollow(tx, loaded, invoice, { provider: "wallet", reference: intent.id, amountMinor, currency });
  return intent;
}

async function startAtProvider(
  tx: Tx,
  loaded: LoadedSubscription,
  invoice: InvoiceRow,
  choice: PaymentChoice,
  atMostMs: number,
): Promise<IntentRow> {
  requireProvider(tx.ctx);
  const methodId = await chosenMethod(tx, choice);
  if (bringsBack(loaded.subscription, invoice)) await reserveRoom(tx, loaded.subscription);
  const intent = await createIntent(tx, {
    purpose: "invoice",
    invoiceId: invoice.id,
    methodId,
    origin: "customer",
    savesMethod: choice.savesMethod === true,
    ...restOf(invoice),
    atMostMs,
  });
  await setLiveIntent(tx, invoice.id, intent.id);
  return intent;
}

/** The card of a choice; null for a checkout. */
export async function chosenMethod(tx: Tx, { method, methodId }: PaymentChoice): Promise<string | null> {
  if (method !== "saved") return null;
  if (methodId !== undefined) return (await getUsableMethod(tx, methodId)).id;
  throw new DomainError("INVALID_INPUT", "Say which saved card to charge.", {
    issues: [{ path: "methodId", message: "Has to be set." }],
  });
}

/** A second window, or a second click, is shown the payment that is under way. */
function sameAsLive(live: IntentRow, { method, methodId }: PaymentChoice): IntentRow {
  const isSame = method === "checkout" ? live.methodId === null : method === "saved" && live.methodId === methodId;
  if (isSame) return live;
  throw new DomainError("PAYMENT_IN_PROGRESS", "Another payment for this invoice is under way. Cancel it first.");
}

/** For so long room is kept for an expired app whose customer has begun to pay: others may want it. */
const reservedMs = hourMs;

/** Until what is paid for is given up for good, or the room for it. */
function timeLeftMs(tx: Tx, { subscription }: LoadedSubscription, { reason }: InvoiceRow): number {
  const { status, orderedAt, graceEndsAt, closingDueAt } = subscription;
  const given = reason === "usage" ? closingDueAt : graceEndsAt;
  const end = status === "pending" ? addMs(orderedAt, tx.ctx.config.orderTtlHours * hourMs) : given;
  const leftMs = end === null ? Number.POSITIVE_INFINITY : end.getTime() - tx.now.getTime();
  if (leftMs <= 0) throw new DomainError("INVALID_TRANSITION", "It is too late to pay for this.");
  return status === "expired" ? Math.min(leftMs, reservedMs) : leftMs;
}
