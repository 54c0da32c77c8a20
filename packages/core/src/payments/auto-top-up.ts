import { autoTopUps, paymentIntents } from "@sewa/db/schema";
import { and, eq, inArray } from "drizzle-orm";
import { isParked } from "../accounts/index.ts";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import type { Money } from "../money.ts";
import { notifyOwner } from "../notifications/index.ts";
import { authorize } from "../permissions.ts";
import { listWalletBalances, lockWallet } from "../wallet/index.ts";
import type { IntentRow } from "./intent.ts";
import { createIntent } from "./intent-store.ts";
import { getUsableMethod } from "./methods.ts";
import { requireProvider } from "./require-provider.ts";
import { requireTopUp } from "./start-top-up.ts";

export type AutoTopUpRow = typeof autoTopUps.$inferSelect;

/** A card is not charged again for a wallet sooner, whatever is spent. */
const pauseMs = 10 * minuteMs;
const pauseAfterFailureMs = dayMs;
/** In a row; then it is switched off and the customer told. */
const maxFailures = 3;

export interface WalletView {
  /** By currency; that in which things are sold is the first. */
  readonly balances: readonly Money[];
  /** Of that currency; null when it was never set. */
  readonly autoTopUp: AutoTopUpRow | null;
}

export async function getWallet(ctx: CoreContext): Promise<WalletView> {
  return ctx.transaction(async (tx) => {
    const own = eq(autoTopUps.organizationId, organizationOf(tx));
    const [autoTopUp = null] = await tx.sql
      .select()
      .from(autoTopUps)
      .where(and(own, eq(autoTopUps.currency, ctx.config.currency)));
    const known = await listWalletBalances(tx);
    const { currency } = ctx.config;
    const main = known.find((balance) => balance.currency === currency) ?? { amountMinor: 0n, currency };
    return { balances: [main, ...known.filter((balance) => balance.currency !== currency)], autoTopUp };
  });
}

/**
 * When the wallet falls below the threshold, it is filled by the amount from a saved card. Null switches it off. Says how it
 * shall be, so saying it twice changes nothing.
 */
export async function setAutoTopUp(
  ctx: CoreContext,
  input: { readonly thresholdMinor: bigint; readonly amountMinor: bigint; readonly methodId: string } | null,
): Promise<WalletView> {
  authorize(ctx.actor, "wallet.write");
  await ctx.transaction(async (tx) => {
    const organizationId = organizationOf(tx);
    const { currency } = ctx.config;
    const own = and(eq(autoTopUps.organizationId, organizationId), eq(autoTopUps.currency, currency));
    const subject = { type: "organization", id: organizationId };
    if (input === null) {
      await tx.sql.update(autoTopUps).set({ isEnabled: false }).where(own);
      return record(tx, { type: "wallet.autoTopUpSet", subject, data: { isEnabled: false } });
    }
    requireProvider(ctx);
    requireTopUp(ctx, { amountMinor: input.amountMinor, currency });
    if (input.thresholdMinor < 0n) throw new DomainError("INVALID_INPUT", "A threshold is not below zero.");
    await getUsableMethod(tx, input.methodId);
    const values = { ...input, isEnabled: true, failures: 0, nextAttemptAt: ctx.clock.now() };
    await tx.sql
      .insert(autoTopUps)
      .values({ organizationId, currency, ...values })
      .onConflictDoUpdate({ target: [autoTopUps.organizationId, autoTopUps.currency], set: values });
    await enqueue(tx, "wallet:topUp", { organizationId });
    const { thresholdMinor, amountMinor, methodId } = input;
    const data = { thresholdMinor: thresholdMinor.toString(), amountMinor: amountMinor.toString(), currency, methodId };
    record(tx, { type: "wallet.autoTopUpSet", subject, data: { isEnabled: true, ...data } });
  });
  return getWallet(ctx);
}

/** Begins to fill the organization's wallets that are below their thresholds, unless it is parked. Any time, any number of times. */
export async function topUpAutomatically(ctx: CoreContext, organizationId: string): Promise<void> {
  if ((ctx.paymentProviders ?? []).length === 0) return;
  await ctx.forOrganization(organizationId).transaction(async (tx) => {
    if (await isParked(tx)) return;
    const now = ctx.clock.now();
    const own = eq(autoTopUps.organizationId, organizationId);
    const settings = await tx.sql
      .select()
      .from(autoTopUps)
      .where(and(own, eq(autoTopUps.isEnabled, true)))
      .for("update");
    for (const { currency, thresholdMinor, amountMinor, methodId, nextAttemptAt } of settings) {
      if (nextAttemptAt > now || (await lockWallet(tx, currency)) >= thresholdMinor) continue;
      const intent = { purpose: "top_up", invoiceId: null, origin: "automatic" } as const;
      if (!(await isUnderWay(tx, currency))) await createIntent(tx, { ...intent, methodId, amountMinor, currency });
      await update(tx, currency, { nextAttemptAt: addMs(now, pauseMs) });
    }
  });
}

async function isUnderWay(tx: Tx, currency: string): Promise<boolean> {
  const count = await tx.sql.$count(
    paymentIntents,
    and(
      eq(paymentIntents.organizationId, organizationOf(tx)),
      eq(paymentIntents.purpose, "top_up"),
      eq(paymentIntents.currency, currency),
      eq(paymentIntents.origin, "automatic"),
      inArray(paymentIntents.status, ["created", "pending"]),
    ),
  );
  return count > 0;
}

export async function noteFilledTopUp(tx: Tx, { currency }: IntentRow): Promise<void> {
  await update(tx, currency, { failures: 0 });
}

export async function noteFailedTopUp(tx: Tx, { id, amountMinor, currency }: IntentRow): Promise<void> {
  const own = and(eq(autoTopUps.organizationId, organizationOf(tx)), eq(autoTopUps.currency, currency));
  const [setting] = await tx.sql.select().from(autoTopUps).where(own).for("update");
  assert(setting !== undefined, "what is filled by itself was set so");
  const failures = setting.failures + 1;
  const isOff = failures >= maxFailures;
  const nextAttemptAt = addMs(tx.ctx.clock.now(), pauseAfterFailureMs);
  await update(tx, currency, { failures, nextAttemptAt, isEnabled: setting.isEnabled && !isOff });
  if (isOff) {
    const subject = { type: "organization", id: organizationOf(tx) };
    record(tx, { type: "wallet.autoTopUpStopped", subject, data: { failures, currency } });
  }
  await notifyOwner(tx, {
    kind: "top_up_failed",
    dedupeKey: `top_up_failed:${id}`,
    data: { amountMinor: amountMinor.toString(), currency, isOff },
  });
}

async function update(tx: Tx, currency: string, values: Partial<typeof autoTopUps.$inferInsert>): Promise<void> {
  const own = and(eq(autoTopUps.organizationId, organizationOf(tx)), eq(autoTopUps.currency, currency));
  await tx.sql.update(autoTopUps).set(values).where(own);
}
