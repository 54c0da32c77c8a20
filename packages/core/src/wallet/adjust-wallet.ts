import { walletAdjustments } from "@sewa/db/schema";
import { requireOrganization } from "../accounts/index.ts";
import { formatActor } from "../actor.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { getTransactionByKey, type TransactionView } from "../ledger/index.ts";
import { minorDigitsOf, type Money } from "../money.ts";
import { authorize } from "../permissions.ts";
import { creditWallet, debitWallet } from "./move-wallet.ts";
import { listWalletBalances } from "./wallet-balance.ts";

/**
 * An operator puts money into a wallet, or takes it out when it is below zero, and says why. While the organization is parked
 * too: it puts a wrong right, and nothing of it is spent before the organization is unparked.
 */
export async function adjustWallet(
  ctx: CoreContext,
  input: Money & { readonly reason: string; readonly idempotencyKey: string },
): Promise<TransactionView> {
  authorize(ctx.actor, "admin.transactions.write");
  await requireOrganization(ctx);
  const { idempotencyKey: key, ...adjustment } = input;
  const { adjustmentId } = await once(
    ctx,
    { key, procedure: "admin.transactions.adjust", input: adjustment },
    async (tx) => {
      const { amountMinor, currency, reason } = adjustment;
      const own = [ctx.config.currency, ...(await listWalletBalances(tx)).map((balance) => balance.currency)];
      minorDigitsOf(currency);
      if (!own.includes(currency)) throw new DomainError("CURRENCY", `There is no wallet in ${currency}.`);
      if (amountMinor === 0n) throw new DomainError("INVALID_INPUT", "An adjustment of nothing changes nothing.");
      const id = ctx.ids.next();
      const move = {
        kind: "wallet_adjusted",
        source: { type: "adjustment", id },
        key: keyOf(id),
        other: "goodwill",
        currency,
      } as const;
      if (amountMinor > 0n) await creditWallet(tx, { ...move, amountMinor });
      else await debitWallet(tx, { ...move, amountMinor: -amountMinor });
      await tx.sql.insert(walletAdjustments).values({
        id,
        organizationId: organizationOf(tx),
        currency,
        amountMinor,
        reason,
        adjustedBy: formatActor(ctx.actor),
        adjustedAt: tx.now,
      });
      record(tx, {
        type: "wallet.adjusted",
        subject: { type: "adjustment", id },
        data: { amountMinor: amountMinor.toString(), currency },
        reason,
      });
      return { adjustmentId: id };
    },
  );
  return getTransactionByKey(ctx, keyOf(adjustmentId));
}

const keyOf = (adjustmentId: string): string => `adjustment:${adjustmentId}`;
