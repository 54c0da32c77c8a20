import { databaseErrorOf } from "@sewa/db";
import { invoices, payments, refunds } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { post } from "../ledger/index.ts";
import type { Period } from "../periods.ts";
import { type InvoiceRow, invoiceTransitions, type PaymentRow } from "./invoice.ts";
import { openingOf, receiptOf, refundingOf, voidingOf, writeOffOf } from "./postings.ts";

/**
 * Books money that has come for an open invoice: all of it, in its currency. Nothing to pay is booked the same way, so a
 * free plan leaves the same trail as one that costs. `period` is set when it was not known before (a reactivation).
 */
export async function payInvoice(
  tx: Tx,
  invoice: InvoiceRow,
  payment: {
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly reference: string | null;
    readonly period?: Period;
  },
): Promise<PaymentRow> {
  if (payment.currency !== invoice.currency || payment.amountMinor !== invoice.totalMinor) {
    throw new DomainError("INVALID_INPUT", "The payment has to be the total of the invoice, in its currency.", {
      issues: [{ path: "amountMinor", message: `Expected ${invoice.totalMinor} ${invoice.currency}.` }],
    });
  }
  const organizationId = organizationOf(tx);
  await close(tx, invoice, "paid", {
    paidMinor: invoice.totalMinor,
    paidAt: tx.now,
    ...(payment.period === undefined ? {} : { periodStart: payment.period.start, periodEnd: payment.period.end }),
  });
  const [row] = await tx.sql
    .insert(payments)
    .values({
      id: tx.ctx.ids.next(),
      organizationId,
      invoiceId: invoice.id,
      provider: "manual",
      status: "succeeded",
      currency: payment.currency,
      amountMinor: payment.amountMinor,
      reference: payment.reference,
      recordedBy: formatActor(tx.ctx.actor),
      receivedAt: tx.now,
    })
    .returning()
    .catch(refuseKnownReference);
  assert(row !== undefined, "an inserted payment is returned");
  // Posted when it was opened, unless that was before there was a ledger.
  post(tx, openingOf(invoice));
  post(tx, receiptOf(row));
  const data = {
    invoiceId: invoice.id,
    paymentId: row.id,
    amountMinor: row.amountMinor.toString(),
    currency: row.currency,
  };
  const subject = { type: "invoice", id: invoice.id };
  record(tx, {
    type: "payment.recorded",
    subscriptionId: invoice.subscriptionId,
    subject: { type: "payment", id: row.id },
    data,
  });
  record(tx, { type: "invoice.paid", subscriptionId: invoice.subscriptionId, subject, data });
  return row;
}

function refuseKnownReference(error: unknown): never {
  if (databaseErrorOf(error)?.constraint === "payments_reference_key") {
    throw new DomainError("CONFLICT", "A payment with this reference was booked already.", {
      issues: [{ path: "reference", message: "Booked already." }],
    });
  }
  throw error;
}

/** Takes back an invoice that nothing was used for. */
export async function voidInvoice(tx: Tx, invoice: InvoiceRow, reason: string): Promise<void> {
  await close(tx, invoice, "void", { closedAt: tx.now, closeReason: reason });
  post(tx, voidingOf(invoice));
  recordClosed(tx, "invoice.voided", invoice, reason);
}

/** Gives up on money for something that was used. */
export async function markUncollectible(tx: Tx, invoice: InvoiceRow, reason: string): Promise<void> {
  await close(tx, invoice, "uncollectible", { closedAt: tx.now, closeReason: reason });
  post(tx, openingOf(invoice));
  post(tx, writeOffOf(invoice));
  recordClosed(tx, "invoice.uncollectible", invoice, reason);
}

/** Gives back every payment of an invoice, once and in full. Payments of nothing have nothing to give back. */
export async function refundInvoice(tx: Tx, invoice: InvoiceRow, reason: string): Promise<void> {
  const organizationId = organizationOf(tx);
  const paid = await tx.sql
    .select()
    .from(payments)
    .where(and(eq(payments.organizationId, organizationId), eq(payments.invoiceId, invoice.id)));
  for (const payment of paid.filter(({ amountMinor }) => amountMinor > 0n)) {
    const { id: paymentId, currency, amountMinor } = payment;
    const inserted = await tx.sql
      .insert(refunds)
      .values({ id: tx.ctx.ids.next(), organizationId, paymentId, currency, amountMinor, reason, refundedAt: tx.now })
      .onConflictDoNothing()
      .returning({ id: refunds.id });
    const [refund] = inserted;
    if (refund === undefined) continue;
    post(tx, refundingOf({ id: refund.id, amountMinor, currency }));
    record(tx, {
      type: "payment.refunded",
      subscriptionId: invoice.subscriptionId,
      subject: { type: "payment", id: paymentId },
      data: { invoiceId: invoice.id, paymentId, amountMinor: amountMinor.toString(), currency },
      reason,
    });
  }
}

async function close(
  tx: Tx,
  invoice: InvoiceRow,
  status: "paid" | "void" | "uncollectible",
  values: Partial<typeof invoices.$inferInsert>,
): Promise<void> {
  const allowed: readonly string[] = invoiceTransitions[invoice.status];
  if (!allowed.includes(status)) throw new DomainError("INVALID_TRANSITION", `The invoice is ${invoice.status}.`);
  const closed = await tx.sql
    .update(invoices)
    .set({ status, ...values })
    .where(
      and(
        eq(invoices.id, invoice.id),
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.status, invoice.status),
      ),
    )
    .returning({ id: invoices.id });
  assert(closed.length === 1, "the invoice is as it was read, because its subscription is locked");
}

function recordClosed(
  tx: Tx,
  type: "invoice.voided" | "invoice.uncollectible",
  invoice: InvoiceRow,
  reason: string,
): void {
  record(tx, {
    type,
    subscriptionId: invoice.subscriptionId,
    subject: { type: "invoice", id: invoice.id },
    data: { invoiceId: invoice.id },
    reason,
  });
}
