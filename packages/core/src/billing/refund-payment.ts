import { invoices, payments, refunds } from "@sewa/db/schema";
import { and, asc, eq } from "drizzle-orm";
import { assertNotParked } from "../accounts/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import { post } from "../ledger/index.ts";
import { prorate } from "../money.ts";
import type { Period } from "../periods.ts";
import { creditWallet, lockWallet } from "../wallet/index.ts";
import { issueCreditNote } from "./issue-credit-note.ts";
import type { CreditNoteRow, InvoiceRow, PaymentRow, RefundRow } from "./invoice.ts";
import { promiseOf, refundingOf, walletRefundOf } from "./postings.ts";
import { usageAmountOf } from "./usage-costs.ts";

/** `origin`: where it came from. */
export type RefundTarget = "origin" | "wallet";

/**
 * Gives back what is left of every payment of an invoice, to where each came from; what it asked for use stays, because that
 * was used, and of the rest what falls on `served`, a part of its period. Payments of nothing have nothing to give back. Nobody has looked
 * at it, so ACCOUNT_PARKED while the books are wrong.
 */
export async function refundInvoice(
  tx: Tx,
  invoice: InvoiceRow,
  reason: string,
  { served }: { readonly served?: { readonly part: Period; readonly whole: Period } } = {},
): Promise<void> {
  await assertNotParked(tx);
  await lockWallet(tx, invoice.currency);
  const { status } = await lockInvoice(tx, invoice.id);
  const paid = await tx.sql
    .select()
    .from(payments)
    .where(and(eq(payments.organizationId, organizationOf(tx)), eq(payments.invoiceId, invoice.id)))
    .orderBy(asc(payments.id));
  const usageMinor = status === "void" ? 0n : await usageAmountOf(tx, invoice);
  const servedMinor =
    served === undefined ? 0n : prorate(invoice.totalMinor - usageMinor, lengthOf(served.part), lengthOf(served.whole));
  let keptMinor = usageMinor + servedMinor;
  for (const payment of paid) {
    const leftMinor = payment.amountMinor - payment.refundedMinor;
    const stays = keptMinor < leftMinor ? keptMinor : leftMinor;
    keptMinor -= stays;
    const amountMinor = leftMinor - stays;
    if (amountMinor > 0n) await giveBack(tx, { invoice, payment, amountMinor, target: "origin", reason });
  }
}

function lengthOf({ start, end }: Period): bigint {
  return BigInt(end.getTime() - start.getTime());
}

/** Gives back a part or all of one payment, or throws REFUND where so much is not left of it and CURRENCY where it was made in another. */
export async function refundPayment(
  tx: Tx,
  input: {
    readonly paymentId: string;
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly target: RefundTarget;
    readonly reason: string;
  },
): Promise<RefundRow> {
  const { invoiceId, currency } = await getPaymentRow(tx, input.paymentId);
  await lockWallet(tx, currency);
  const invoice = await lockInvoice(tx, invoiceId);
  // Read again: under the lock it is what it will be.
  const payment = await getPaymentRow(tx, input.paymentId);
  if (input.currency !== payment.currency) {
    throw new DomainError("CURRENCY", `The payment was made in ${payment.currency}.`);
  }
  const left = payment.amountMinor - payment.refundedMinor;
  if (input.amountMinor <= 0n || input.amountMinor > left) {
    throw new DomainError("REFUND", `Of this payment ${left} ${payment.currency} can be given back.`);
  }
  const { amountMinor, target, reason } = input;
  return giveBack(tx, { invoice, payment, amountMinor, target, reason });
}

/** NOT_FOUND for foreign and invented ids. */
export async function getPaymentRow(tx: Tx, paymentId: string): Promise<PaymentRow> {
  const [row] = await tx.sql
    .select()
    .from(payments)
    .where(and(eq(payments.organizationId, organizationOf(tx)), eq(payments.id, paymentId)));
  if (row === undefined) throw notFound("payment");
  return row;
}

async function lockInvoice(tx: Tx, invoiceId: string): Promise<InvoiceRow> {
  const [row] = await tx.sql
    .select()
    .from(invoices)
    .where(and(eq(invoices.organizationId, organizationOf(tx)), eq(invoices.id, invoiceId)))
    .for("no key update");
  assert(row !== undefined, "a payment's invoice is there");
  return row;
}

interface Return {
  readonly invoice: InvoiceRow;
  readonly payment: PaymentRow;
  readonly amountMinor: bigint;
  readonly target: RefundTarget;
  readonly reason: string;
}

async function giveBack(tx: Tx, { invoice, payment, amountMinor, target, reason }: Return): Promise<RefundRow> {
  const note = await issueCreditNote(tx, invoice, { amountMinor, reason });
  const refund = await insertRefund(tx, payment, note, destinationOf(payment, target));
  switch (refund.destination) {
    case "wallet":
      await creditWallet(tx, { ...walletRefundOf(refund, note), other: "revenue" });
      break;
    case "provider":
      post(tx, promiseOf(refund, note));
      await enqueue(tx, "refund:reconcile", { refundId: refund.id });
      break;
    case "manual":
      post(tx, refundingOf(refund, note));
  }
  const { currency } = payment;
  record(tx, {
    type: "payment.refunded",
    subscriptionId: invoice.subscriptionId,
    subject: { type: "payment", id: payment.id },
    data: {
      invoiceId: invoice.id,
      paymentId: payment.id,
      amountMinor: amountMinor.toString(),
      currency,
      destination: refund.destination,
    },
    reason,
  });
  return refund;
}

function destinationOf({ provider }: PaymentRow, target: RefundTarget): RefundRow["destination"] {
  if (target === "wallet" || provider === "wallet") return "wallet";
  return provider === "manual" ? "manual" : "provider";
}

/** Its trigger refuses more than was paid, whoever writes. */
async function insertRefund(
  tx: Tx,
  payment: PaymentRow,
  note: CreditNoteRow,
  destination: RefundRow["destination"],
): Promise<RefundRow> {
  const isPending = destination === "provider";
  const [row] = await tx.sql
    .insert(refunds)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      paymentId: payment.id,
      creditNoteId: note.id,
      destination,
      status: isPending ? "pending" : "succeeded",
      currency: note.currency,
      amountMinor: note.amountMinor,
      reason: note.reason,
      nextLookAt: isPending ? tx.ctx.clock.now() : null,
      refundedAt: tx.now,
    })
    .returning();
  assert(row !== undefined, "an inserted refund is returned");
  return row;
}
