import type { Tx } from "../context.ts";
import { record } from "../events/index.ts";
import type { Posting } from "../ledger/index.ts";
import type { Money } from "../money.ts";
import { notifyOwner } from "../notifications/index.ts";
import { creditWallet } from "./move-wallet.ts";

/**
 * Keeps money that has come and found nothing to pay. It is never lost and never refused; its owner is told by an event with these facts
 * and by a mail. `key`: under which it is posted once.
 */
export async function keepInWallet(
  tx: Tx,
  kept: Money & {
    readonly source: Posting["source"];
    readonly key: string;
    readonly about?: { readonly subscriptionId: string; readonly instanceId: string };
    readonly facts: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { source, key, about, facts, amountMinor, currency } = kept;
  await creditWallet(tx, { kind: "wallet_credited", source, key, other: "cash", amountMinor, currency });
  record(tx, { type: "payment.creditedToWallet", ...about, subject: source, data: facts });
  await notifyOwner(tx, {
    kind: "payment_in_wallet",
    dedupeKey: `payment_in_wallet:${source.id}`,
    data: { amountMinor: amountMinor.toString(), currency },
  });
}
