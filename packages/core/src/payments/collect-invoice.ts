import { getInvoiceRow, type InvoiceRow, restOf, setLiveIntent } from "../billing/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, unreachable } from "../errors.ts";
import { notifyOwner } from "../notifications/index.ts";
import { type LoadedSubscription, loadForUpdate, mailFacts } from "../subscriptions/index.ts";
import { enqueue } from "../jobs/index.ts";
import { lockWallet } from "../wallet/index.ts";
import { ensureCollection, updateCollection } from "./collections.ts";
import { decideCollection } from "./decide-collection.ts";
import { createIntent, findOrganizationOf } from "./intent-store.ts";
import { findAutomaticMethod } from "./methods.ts";
import { payFromWallet } from "./start-payment.ts";

/**
 * Takes the money for a renewal, or for what was used before a cancellation, by itself: first what the wallet holds, be it a part;
 * then the saved card, if the customer chose one for that. What is still missing then is asked for by mail. Waits while the
 * organization is parked. Any time, any number of times.
 */
export async function collectInvoice(ctx: CoreContext, invoiceId: string): Promise<void> {
  const organizationId = await findOrganizationOf(ctx, "invoices", invoiceId);
  if (organizationId === null) return;
  await ctx.forOrganization(organizationId).transaction(async (tx) => {
    const { subscriptionId } = await getInvoiceRow(tx, invoiceId);
    const loaded = await loadForUpdate(tx, subscriptionId);
    if (loaded.parking.parkedAt !== null) return;
    const asked = await getInvoiceRow(tx, invoiceId);
    const isCollected = asked.reason === "renewal" || asked.reason === "usage";
    if (asked.status !== "open" || !isCollected || asked.liveIntentId !== null) return;
    const { amountMinor: restMinor, currency } = restOf(asked);
    if (restMinor === 0n) return;
    const { nextAttemptAt, attempts } = await ensureCollection(tx, invoiceId);
    const walletMinor = await lockWallet(tx, currency);
    const method = await findAutomaticMethod(tx);
    const hasCard = method !== null && (ctx.paymentProviders ?? []).length > 0;
    const { fromWalletMinor, step } = decideCollection({ restMinor, walletMinor, hasCard, nextAttemptAt }, tx.now);
    const invoice = await spendWallet(tx, loaded, asked, fromWalletMinor);
    switch (step) {
      case "done":
        return updateCollection(tx, invoiceId, { nextAttemptAt: null });
      case "ask":
        return askFor(tx, loaded, invoice);
      case "wait":
        return;
      case "charge": {
        assert(method !== null, "only a card that is there is charged");
        const charge = { purpose: "invoice", invoiceId, methodId: method.id, origin: "automatic" } as const;
        const intent = await createIntent(tx, { ...charge, ...restOf(invoice) });
        await setLiveIntent(tx, invoiceId, intent.id);
        return updateCollection(tx, invoiceId, { attempts: attempts + 1, nextAttemptAt: null });
      }
      default:
        return unreachable(step);
    }
  });
}

/** What is left afterwards. */
async function spendWallet(
  tx: Tx,
  loaded: LoadedSubscription,
  invoice: InvoiceRow,
  amountMinor: bigint,
): Promise<InvoiceRow> {
  if (amountMinor === 0n) return invoice;
  await payFromWallet(tx, loaded, invoice, { amountMinor, currency: invoice.currency, origin: "automatic" });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: loaded.subscription.id });
  return getInvoiceRow(tx, invoice.id);
}

async function askFor(tx: Tx, { subscription }: LoadedSubscription, invoice: InvoiceRow): Promise<void> {
  const money = { amountMinor: restOf(invoice).amountMinor.toString(), currency: invoice.currency };
  const data = { ...(await mailFacts(tx, subscription)), ...money, dueAt: (invoice.dueAt ?? tx.now).toISOString() };
  // Of an app that is gone nothing is kept running by paying.
  const kind = invoice.reason === "usage" ? "usage_due" : "payment_due";
  await notifyOwner(tx, { kind, dedupeKey: `${kind}:${invoice.id}`, data });
}
