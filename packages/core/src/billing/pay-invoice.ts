import { databaseErrorOf } from "@sewa/db";
import { invoices, payments } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { assertNotParked } from "../accounts/index.ts";
import { formatActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { post } from "../ledger/index.ts";
import type { Money } from "../money.ts";
import type { Period } from "../periods.ts";
import { debitWallet, lockWallet } from "../wallet/index.ts";
import { closeInvoice } from "./close-invoice.ts";
import type { InvoiceRow, PaymentProvider, PaymentRow } from "./invoice.ts";
import { openingOf, receiptOf, restOf, spendingOf } from "./postings.ts";

export interface NewPayment extends Money {
  readonly provider: PaymentProvider;
  /** Of the provider; booked once. */
  readonly reference: string | null;
  /** What came with it by bank and is kept in the wallet by the caller. */
  readonly surplusMinor?: bigint;
}

/**
 * Books money that has come for an open invoice: what is left of it, or a part, in its currency; never more. A payment out of the
 * wallet takes it from there, or throws INSUFFICIENT_FUNDS. Nothing to pay is booked the same way, so a free plan leaves the same
 * trail as one that costs. `period` is set with the whole, where it was not known before (a reactivation).
 */
export async function payInvoice(
  tx: Tx,
  invoice: InvoiceRow,
  payment: NewPayment & { readonly period?: Period },
): Promise<PaymentRow> {
  await assertNotParked(tx);
  const { amountMinor: rest, currency } = restOf(invoice);
  const { amountMinor } = payment;
  if (payment.currency !== currency || amountMinor > rest || (amountMinor <= 0n && rest > 0n)) {
    throw new DomainError("INVALID_INPUT", "The payment has to be what is left of the invoice, in its currency.", {
      issues: [{ path: "amountMinor", message: `Expected ${rest} ${currency}.` }],
    });
  }
  if (payment.provider === "wallet") await lockWallet(tx, currency);
  if (amountMinor === rest) await closePaid(tx, invoice, payment.period);
  else await notePart(tx, invoice, amountMinor);
  const row = await insertPayment(tx, invoice, payment);
  // Posted when it was opened, unless that was before there was a ledger.
  post(tx, openingOf(invoice));
  if (row.provider === "wallet") await debitWallet(tx, { ...spendingOf(row), other: "receivable" });
  else post(tx, receiptOf(row));
  recordPaid(tx, invoice, row, amountMinor === rest);
  return row;
}

async function closePaid(tx: Tx, invoice: InvoiceRow, period: Period | undefined): Promise<void> {
  await closeInvoice(tx, invoice, "paid", {
    paidMinor: invoice.totalMinor,
    paidAt: tx.now,
    ...(period === undefined ? {} : { periodStart: period.start, periodEnd: period.end }),
  });
}

async function notePart(tx: Tx, invoice: InvoiceRow, amountMinor: bigint): Promise<void> {
  if (invoice.status !== "open") throw new DomainError("INVALID_TRANSITION", `The invoice is ${invoice.status}.`);
  const noted = await tx.sql
    .update(invoices)
    .set({ paidMinor: invoice.paidMinor + amountMinor })
    .where(
      and(
        eq(invoices.id, invoice.id),
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.status, "open"),
        eq(invoices.paidMinor, invoice.paidMinor),
      ),
    )
    .returning({ id: invoices.id });
  assert(noted.length === 1, "the invoice is as it was read, because its subscription is locked");
}

async function insertPayment(tx: Tx, invoice: InvoiceRow, payment: NewPayment): Promise<PaymentRow> {
  const { provider, currency, amountMinor, reference, surplusMinor = 0n } = payment;
  const [row] = await tx.sql
    .insert(payments)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      invoiceId: invoice.id,
      provider,
      status: "succeeded",
      currency,
      amountMinor,
      surplusMinor,
      reference,
      recordedBy: formatActor(tx.ctx.actor),
      receivedAt: tx.now,
    })
    .returning()
    .catch(refuseKnownReference);
  assert(row !== undefined, "an inserted payment is returned");
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

function recordPaid(tx: Tx, invoice: InvoiceRow, row: PaymentRow, isWhole: boolean): void {
  const { subscriptionId } = invoice;
  const data = {
    invoiceId: invoice.id,
    paymentId: row.id,
    amountMinor: row.amountMinor.toString(),
    currency: row.currency,
  };
  record(tx, { type: "payment.recorded", subscriptionId, subject: { type: "payment", id: row.id }, data });
  if (isWhole) record(tx, { type: "invoice.paid", subscriptionId, subject: { type: "invoice", id: invoice.id }, data });
}
