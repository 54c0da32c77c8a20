import { payments, refunds } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { post } from "../ledger/index.ts";
import { creditWallet } from "../wallet/index.ts";
import type { PaymentRow, RefundRow } from "./invoice.ts";
import { keptPromiseOf, redirectedRefundOf } from "./postings.ts";

export interface RefundView {
  readonly refund: RefundRow;
  readonly payment: PaymentRow;
}

/** A refund and the payment that it is of. */
export async function getRefund(tx: Tx, refundId: string): Promise<RefundView> {
  const [row] = await tx.sql
    .select({ refund: refunds, payment: payments })
    .from(refunds)
    .innerJoin(payments, eq(payments.id, refunds.paymentId))
    .where(and(eq(refunds.organizationId, organizationOf(tx)), eq(refunds.id, refundId)));
  if (row === undefined) throw notFound("refund");
  return row;
}

/** What is known of the way to the provider. */
export async function noteRefund(
  tx: Tx,
  refundId: string,
  values: Partial<Pick<RefundRow, "askedAt" | "looks" | "nextLookAt" | "providerReference">>,
): Promise<void> {
  await tx.sql
    .update(refunds)
    .set(values)
    .where(and(eq(refunds.id, refundId), eq(refunds.status, "pending")));
}

/**
 * The provider has said what became of it, the first time. What it would not give back goes to the wallet: the customer
 * has it either way.
 */
export async function settleRefund(
  tx: Tx,
  refundId: string,
  outcome: {
    readonly isGivenBack: boolean;
    readonly providerReference: string | null;
    readonly failure: string | null;
  },
): Promise<boolean> {
  const { isGivenBack, providerReference, failure } = outcome;
  const [refund] = await tx.sql
    .update(refunds)
    .set({
      status: "succeeded",
      destination: isGivenBack ? "provider" : "wallet",
      providerReference,
      failure,
      nextLookAt: null,
    })
    .where(and(eq(refunds.id, refundId), eq(refunds.status, "pending")))
    .returning();
  if (refund === undefined) return false;
  assert(refund.amountMinor > 0n, "a refund gives something back");
  if (isGivenBack) post(tx, keptPromiseOf(refund));
  else await creditWallet(tx, { ...redirectedRefundOf(refund), other: "refund_due" });
  record(tx, {
    type: "payment.refundSettled",
    subject: { type: "payment", id: refund.paymentId },
    data: {
      paymentId: refund.paymentId,
      amountMinor: refund.amountMinor.toString(),
      currency: refund.currency,
      destination: refund.destination,
    },
    reason: failure,
  });
  return true;
}
