import { isParked } from "../accounts/index.ts";
import { getInvoiceRow } from "../billing/index.ts";
import { secondMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { toPublicId } from "../ids.ts";
import { decideCall, type IntentRow, isLive, nextLook, nextTryAfterEnd, type ProviderCall } from "./intent.ts";
import { findOrganizationOf, getIntent, lockIntent, updateIntent } from "./intent-store.ts";
import { openMethod } from "./methods.ts";
import { markNoticesApplied } from "./notices.ts";
import {
  type PaymentProvider,
  type PaymentRequest,
  type ProviderPayment,
  ProviderRefused,
  ProviderUnavailable,
} from "./provider.ts";
import { type PaymentProviders, providerNamed } from "./require-provider.ts";
import { type Outcome, settlePayment } from "./settle-payment.ts";

export interface ProviderAccess {
  readonly providers: PaymentProviders;
  readonly signal: AbortSignal;
}

/** A call that takes longer has an unknown outcome. */
const callMs = 10 * secondMs;

/**
 * Finds out what became of a payment, having asked for it if nobody has, and lets everything follow from it. Any time, any number
 * of times, two at once: the reference was written down before the first call, so a provider never takes money twice. Calls are
 * made outside of transactions; whatever they answer is settled in one. `againMs`: nobody knows yet, so look again then.
 * While the organization is parked a payment is called off at most, and what became of it is asked afterwards.
 */
export async function reconcilePayment(
  ctx: CoreContext,
  intentId: string,
  { providers, signal }: ProviderAccess,
): Promise<{ readonly againMs: number | null }> {
  const organizationId = await findOrganizationOf(ctx, "payment_intents", intentId);
  if (organizationId === null) {
    await ctx.transaction((tx) => markNoticesApplied(tx, intentId, ctx.clock.now()));
    return { againMs: null };
  }
  const bound = ctx.forOrganization(organizationId);
  const lookedAt = ctx.clock.now();
  const plan = await bound.transaction((tx) => prepare(tx, intentId));
  const outcome = plan === null || plan === "unknown" ? plan : await carryOut(plan, providers, signal);
  return bound.transaction(async (tx) => {
    const waits = outcome === "unknown" || (outcome !== null && (await isParked(tx)));
    if (waits) return { againMs: await noteUnknown(tx, intentId) };
    if (outcome !== null) await settlePayment(tx, intentId, outcome);
    await markNoticesApplied(tx, intentId, lookedAt);
    return { againMs: null };
  });
}

interface Plan {
  readonly intent: IntentRow;
  readonly call: ProviderCall;
  /** What to ask for; null where the card is gone. */
  readonly request: PaymentRequest | null;
  /** How it ends if nobody else has heard of it. */
  readonly end: "expired" | "cancelled";
}

/** Decides what to say, and writes down that it may be heard from now on. Null: nothing, because all is known. */
async function prepare(tx: Tx, intentId: string): Promise<Plan | "unknown" | null> {
  const waits = await isParked(tx);
  const intent = await lockIntent(tx, intentId);
  const isWanted = intent.invoiceId === null || (await getInvoiceRow(tx, intent.invoiceId)).status === "open";
  const decided = decideCall(intent, isWanted, tx.ctx.clock.now());
  if (decided === null) return null;
  if (waits && decided !== "cancel") return "unknown";
  const request = await requestOf(tx, intent);
  const call = decided === "begin" && request === null ? "forget" : decided;
  if (call === "begin") await updateIntent(tx, intentId, { askedAt: tx.ctx.clock.now() });
  const isUnwanted = !isWanted || intent.cancelRequestedAt !== null || request === null;
  return { intent, call, request, end: isUnwanted ? "cancelled" : "expired" };
}

async function requestOf(tx: Tx, intent: IntentRow): Promise<PaymentRequest | null> {
  const methodReference = intent.methodId === null ? null : await openMethod(tx, intent.methodId);
  if (intent.methodId !== null && methodReference === null) return null;
  const { id, amountMinor, currency, savesMethod, expiresAt } = intent;
  const publicId = toPublicId("intent", id);
  return {
    reference: id,
    amountMinor,
    currency,
    description: publicId,
    method: methodReference === null ? { type: "checkout" } : { type: "on_file", methodReference },
    savesMethod,
    returnUrl: `${tx.ctx.config.portalUrl}/payments/${publicId}`,
    expiresAt,
  };
}

async function carryOut(plan: Plan, providers: PaymentProviders, signal: AbortSignal): Promise<Outcome | "unknown"> {
  const { intent, call } = plan;
  if (call === "forget") return { state: plan.end };
  assert(intent.provider !== "wallet", "a payment out of the wallet is done when it is written down");
  const provider = providerNamed(providers, intent.provider);
  try {
    const answer = await ask(provider, plan, AbortSignal.any([signal, AbortSignal.timeout(callMs)]));
    // Never heard of, and not to be asked for any more.
    return answer ?? { state: plan.end };
  } catch (error) {
    if (error instanceof ProviderUnavailable) return "unknown";
    // A refusal to begin is an end. One to look up or to cancel says nothing about the money.
    if (error instanceof ProviderRefused)
      return call === "cancel" ? "unknown" : { state: "failed", failure: error.reason };
    throw error;
  }
}

async function ask(
  provider: PaymentProvider,
  { intent, call, request }: Plan,
  signal: AbortSignal,
): Promise<ProviderPayment | null> {
  if (call === "cancel") return provider.cancel(intent.id, signal);
  const known = call === "lookUp" ? await lookUp(provider, intent.id, signal) : null;
  // By the same reference: if the first call is still on its way, the provider takes both for one.
  return known ?? (request === null ? null : provider.begin(request, signal));
}

async function lookUp(
  provider: PaymentProvider,
  reference: string,
  signal: AbortSignal,
): Promise<ProviderPayment | null> {
  try {
    return await provider.lookUp(reference, signal);
  } catch (error) {
    if (error instanceof ProviderRefused) throw new ProviderUnavailable("Refused to look up.", { cause: error });
    throw error;
  }
}

/** Milliseconds until the next look; null where the sweep is early enough. */
async function noteUnknown(tx: Tx, intentId: string): Promise<number | null> {
  const intent = await getIntent(tx, intentId);
  // Ended meanwhile, and nobody was ever asked: nothing more is to be known.
  if (intent.status === "succeeded" || (!isLive(intent) && intent.askedAt === null)) return null;
  const now = tx.ctx.clock.now();
  if (!isLive(intent)) {
    await updateIntent(tx, intentId, { nextLookAt: nextTryAfterEnd(intent.looks, now) });
    return null;
  }
  const at = nextLook(intent, now);
  await updateIntent(tx, intentId, { looks: intent.looks + 1, nextLookAt: at });
  return at.getTime() - now.getTime();
}
