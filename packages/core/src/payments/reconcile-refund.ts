import { isParked } from "../accounts/index.ts";
import { getRefund, noteRefund, type RefundView, settleRefund } from "../billing/index.ts";
import { addMs, hourMs, secondMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { findOrganizationOf } from "./intent-store.ts";
import { markNoticesApplied } from "./notices.ts";
import { type PaymentProvider, type ProviderRefund, ProviderRefused, ProviderUnavailable } from "./provider.ts";
import type { ProviderAccess } from "./reconcile-payment.ts";
import { providerNamed } from "./require-provider.ts";

const callMs = 10 * secondMs;
const backOff = { firstMs: 10 * secondMs, mostMs: hourMs } as const;

/**
 * Brings a refund to the provider and finds out what became of it, as safely as a payment: asked by a reference that was
 * written down, looked up before it is asked for again, settled once. What the provider will not give back goes to the wallet.
 * While the organization is parked it is not asked, and what it said is asked for again afterwards.
 */
export async function reconcileRefund(
  ctx: CoreContext,
  refundId: string,
  { providers, signal }: ProviderAccess,
): Promise<void> {
  const lookedAt = ctx.clock.now();
  const organizationId = await findOrganizationOf(ctx, "refunds", refundId);
  if (organizationId === null) return ctx.transaction((tx) => markNoticesApplied(tx, refundId, lookedAt));
  const bound = ctx.forOrganization(organizationId);
  const view = await bound.transaction((tx) => prepare(tx, refundId));
  const answer = view === null || view === "unknown" ? view : await carryOut(view, providers, signal);
  await bound.transaction(async (tx) => {
    if (answer === "unknown" || (answer !== null && (await isParked(tx)))) return noteLook(tx, refundId, null);
    if (answer !== null) await settle(tx, refundId, answer);
    await markNoticesApplied(tx, refundId, lookedAt);
  });
}

/** As it was before it is written down that the provider may have heard of it; null when it is settled. */
async function prepare(tx: Tx, refundId: string): Promise<RefundView | "unknown" | null> {
  const waits = await isParked(tx);
  const view = await getRefund(tx, refundId);
  if (view.refund.status !== "pending") return null;
  if (waits) return "unknown";
  if (view.refund.askedAt === null) await noteRefund(tx, refundId, { askedAt: tx.ctx.clock.now() });
  return view;
}

type Answer = ProviderRefund | { readonly state: "refused"; readonly failure: string };

async function carryOut(
  view: RefundView,
  providers: ProviderAccess["providers"],
  signal: AbortSignal,
): Promise<Answer | "unknown"> {
  const { provider: name } = view.payment;
  assert(name === "sandbox", "only a provider's payments are given back by it");
  const provider = providerNamed(providers, name);
  try {
    return await ask(provider, view, AbortSignal.any([signal, AbortSignal.timeout(callMs)]));
  } catch (error) {
    if (error instanceof ProviderRefused) return { state: "refused", failure: error.reason };
    if (error instanceof ProviderUnavailable) return "unknown";
    throw error;
  }
}

async function ask(
  provider: PaymentProvider,
  { refund, payment }: RefundView,
  signal: AbortSignal,
): Promise<ProviderRefund> {
  const known = refund.askedAt === null ? null : await provider.lookUpRefund(refund.id, signal);
  if (known !== null) return known;
  assert(payment.reference !== null, "a provider's payment has its reference");
  const { id: reference, amountMinor, currency } = refund;
  return provider.refund({ reference, paymentReference: payment.reference, amountMinor, currency }, signal);
}

async function settle(tx: Tx, refundId: string, answer: Answer): Promise<void> {
  switch (answer.state) {
    case "pending":
      return noteLook(tx, refundId, answer.providerReference);
    case "succeeded": {
      const { providerReference } = answer;
      await settleRefund(tx, refundId, { isGivenBack: true, providerReference, failure: null });
      return;
    }
    case "failed":
    case "refused": {
      const providerReference = answer.state === "failed" ? answer.providerReference : null;
      const failure = answer.failure ?? "failed";
      await settleRefund(tx, refundId, { isGivenBack: false, providerReference, failure });
    }
  }
}

async function noteLook(tx: Tx, refundId: string, providerReference: string | null): Promise<void> {
  const { refund } = await getRefund(tx, refundId);
  const { firstMs, mostMs } = backOff;
  const nextLookAt = addMs(tx.ctx.clock.now(), Math.min(firstMs * 2 ** Math.min(refund.looks, 20), mostMs));
  await noteRefund(tx, refundId, {
    looks: refund.looks + 1,
    nextLookAt,
    ...(providerReference === null ? {} : { providerReference }),
  });
}
