import { invoiceLines, invoices, invoiceTaxes } from "@sewa/db/schema";
import { assertNotParked, getBillingContact } from "../accounts/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import type { Period } from "../periods.ts";
import { post } from "../ledger/index.ts";
import { deriveTaxes, ratesOf, type Tax } from "../taxes/index.ts";
import { formatInvoiceNumber, type InvoiceRow } from "./invoice.ts";
import { amountOfLine, type NewLine, totalOfLines } from "./line.ts";
import { billUsage } from "../usage/index.ts";
import { nextNumber, yearOf } from "./next-number.ts";
import { openingOf } from "./postings.ts";

export interface NewInvoice {
  readonly subscriptionId: string;
  readonly reason: InvoiceRow["reason"];
  readonly termNumber: number;
  readonly periodIndex: number;
  /** Null for a reactivation: its period begins with its payment. */
  readonly period: Period | null;
  readonly currency: string;
  readonly lines: readonly NewLine[];
  readonly dueAt: Date;
  /** The moment whose tax rates hold; now, unless something was shown before. */
  readonly taxedAt?: Date;
}

/**
 * Numbered without gaps and frozen from now on. The unique index refuses a second live invoice for the same period, and
 * ACCOUNT_PARKED one of an organization whose books are wrong.
 */
export async function openInvoice(tx: Tx, input: NewInvoice): Promise<InvoiceRow> {
  const { subscriptionId, reason, termNumber, periodIndex, period, currency, dueAt, taxedAt = tx.now } = input;
  await assertNotParked(tx);
  const customer = await getBillingContact(tx);
  const organizationId = organizationOf(tx);
  const lines = input.lines.map((line) => ({ id: tx.ctx.ids.next(), ...line, amountMinor: amountOfLine(line) }));
  const { taxes, taxMinor, totalMinor } = deriveTaxes(totalOfLines(lines), await ratesOf(tx, taxedAt));
  const series = `${tx.ctx.config.invoiceSeries}-${yearOf(tx)}`;
  const [invoice] = await tx.sql
    .insert(invoices)
    .values({
      id: tx.ctx.ids.next(),
      organizationId,
      subscriptionId,
      status: "open",
      series,
      number: await nextNumber(tx, series),
      reason,
      termNumber,
      periodIndex,
      periodStart: period?.start ?? null,
      periodEnd: period?.end ?? null,
      currency,
      totalMinor,
      taxMinor,
      customer,
      seller: tx.ctx.config.seller,
      openedAt: tx.now,
      dueAt,
    })
    .returning();
  assert(invoice !== undefined, "an inserted invoice is returned");
  await tx.sql.insert(invoiceLines).values(
    lines.map(({ usage: _usage, ...line }, index) => ({
      ...line,
      organizationId,
      invoiceId: invoice.id,
      position: index + 1,
    })),
  );
  for (const { id: lineId, usage, quantity } of lines) {
    if (usage !== undefined) await billUsage(tx, { subscriptionId, lineId, usage, quantity });
  }
  await insertTaxes(tx, invoice.id, taxes);
  post(tx, openingOf(invoice));
  record(tx, {
    type: "invoice.opened",
    subscriptionId,
    subject: { type: "invoice", id: invoice.id },
    data: {
      invoiceId: invoice.id,
      number: formatInvoiceNumber(invoice),
      totalMinor: invoice.totalMinor.toString(),
      currency,
      reason,
    },
  });
  return invoice;
}

async function insertTaxes(tx: Tx, invoiceId: string, taxes: readonly Tax[]): Promise<void> {
  if (taxes.length === 0) return;
  const organizationId = organizationOf(tx);
  await tx.sql
    .insert(invoiceTaxes)
    .values(
      taxes.map((tax, index) => ({ id: tx.ctx.ids.next(), organizationId, invoiceId, position: index + 1, ...tax })),
    );
}
