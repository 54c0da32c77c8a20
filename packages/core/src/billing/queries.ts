import { billingPeriods, creditNotes, invoiceLines, invoices, invoiceTaxes, payments } from "@sewa/db/schema";
import { and, asc, desc, eq, inArray, lt, notInArray } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { Period } from "../periods.ts";
import type { CreditNoteRow, InvoiceLineRow, InvoiceRow, InvoiceTaxRow, PaymentRow } from "./invoice.ts";

export interface InvoiceView {
  readonly invoice: InvoiceRow;
  readonly lines: readonly InvoiceLineRow[];
  readonly taxes: readonly InvoiceTaxRow[];
  readonly payments: readonly PaymentRow[];
  readonly creditNotes: readonly CreditNoteRow[];
}

/** Newest first. */
export async function listInvoices(
  ctx: CoreContext,
  input: PageInput & { readonly subscriptionId?: string | undefined },
): Promise<Page<InvoiceView>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(invoices)
      .where(
        and(
          eq(invoices.organizationId, organizationOf(tx)),
          input.subscriptionId === undefined ? undefined : eq(invoices.subscriptionId, input.subscriptionId),
          cursor === null ? undefined : lt(invoices.id, cursor),
        ),
      )
      .orderBy(desc(invoices.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return { ...page, items: await toViews(tx, page.items) };
  });
}

export async function getInvoice(ctx: CoreContext, invoiceId: string): Promise<InvoiceView> {
  return ctx.transaction((tx) => readInvoice(tx, invoiceId));
}

/** The same inside a transaction of a domain above. */
export async function readInvoice(tx: Tx, invoiceId: string): Promise<InvoiceView> {
  const [view] = await toViews(tx, await selectInvoice(tx, invoiceId));
  if (view === undefined) throw notFound("invoice");
  return view;
}

/** Inside a transaction that has locked the subscription. */
export async function getInvoiceRow(tx: Tx, invoiceId: string): Promise<InvoiceRow> {
  const [row] = await selectInvoice(tx, invoiceId);
  if (row === undefined) throw notFound("invoice");
  return row;
}

/** The invoice that asks for a period, unless it was voided; null when there is none. */
export async function findInvoiceOfPeriod(
  tx: Tx,
  input: { readonly subscriptionId: string; readonly termNumber: number; readonly periodIndex: number },
): Promise<InvoiceRow | null> {
  const [row] = await tx.sql
    .select()
    .from(invoices)
    .where(
      and(
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.subscriptionId, input.subscriptionId),
        eq(invoices.termNumber, input.termNumber),
        eq(invoices.periodIndex, input.periodIndex),
        // One for a change asks for a part of a period that was paid already, and one for use for no period at all.
        notInArray(invoices.reason, ["change", "usage"]),
        inArray(invoices.status, ["draft", "open", "paid", "uncollectible"]),
      ),
    );
  return row ?? null;
}

export async function listOpenInvoices(tx: Tx, subscriptionId: string): Promise<readonly InvoiceRow[]> {
  return tx.sql
    .select()
    .from(invoices)
    .where(
      and(
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.subscriptionId, subscriptionId),
        inArray(invoices.status, ["draft", "open"]),
      ),
    )
    .orderBy(asc(invoices.id));
}

export async function listPaidInvoices(tx: Tx, subscriptionId: string): Promise<readonly InvoiceRow[]> {
  return tx.sql
    .select()
    .from(invoices)
    .where(
      and(
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.subscriptionId, subscriptionId),
        eq(invoices.status, "paid"),
      ),
    )
    .orderBy(asc(invoices.id));
}

/** Says which payment is under way for an invoice, or that there is none any more. */
export async function setLiveIntent(tx: Tx, invoiceId: string, liveIntentId: string | null): Promise<void> {
  await tx.sql
    .update(invoices)
    .set({ liveIntentId })
    .where(and(eq(invoices.organizationId, organizationOf(tx)), eq(invoices.id, invoiceId)));
}

/** A period of service begins; what it is for was paid, or will never be. */
export async function addBillingPeriod(
  tx: Tx,
  input: {
    readonly subscriptionId: string;
    readonly termNumber: number;
    readonly periodIndex: number;
    readonly period: Period;
    readonly invoiceId: string;
  },
): Promise<void> {
  const { subscriptionId, termNumber, periodIndex, period, invoiceId } = input;
  await tx.sql.insert(billingPeriods).values({
    id: tx.ctx.ids.next(),
    organizationId: organizationOf(tx),
    subscriptionId,
    termNumber,
    periodIndex,
    startsAt: period.start,
    endsAt: period.end,
    invoiceId,
  });
}

async function selectInvoice(tx: Tx, invoiceId: string): Promise<readonly InvoiceRow[]> {
  return tx.sql
    .select()
    .from(invoices)
    .where(and(eq(invoices.organizationId, organizationOf(tx)), eq(invoices.id, invoiceId)));
}

async function toViews(tx: Tx, rows: readonly InvoiceRow[]): Promise<readonly InvoiceView[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const lines = await tx.sql
    .select()
    .from(invoiceLines)
    .where(and(eq(invoiceLines.organizationId, organizationOf(tx)), inArray(invoiceLines.invoiceId, ids)))
    .orderBy(asc(invoiceLines.position));
  const taxes = await tx.sql
    .select()
    .from(invoiceTaxes)
    .where(and(eq(invoiceTaxes.organizationId, organizationOf(tx)), inArray(invoiceTaxes.invoiceId, ids)))
    .orderBy(asc(invoiceTaxes.position));
  const paid = await tx.sql
    .select()
    .from(payments)
    .where(and(eq(payments.organizationId, organizationOf(tx)), inArray(payments.invoiceId, ids)))
    .orderBy(asc(payments.id));
  const notes = await tx.sql
    .select()
    .from(creditNotes)
    .where(and(eq(creditNotes.organizationId, organizationOf(tx)), inArray(creditNotes.invoiceId, ids)))
    .orderBy(asc(creditNotes.id));
  return rows.map((invoice) => ({
    invoice,
    lines: lines.filter(({ invoiceId }) => invoiceId === invoice.id),
    taxes: taxes.filter(({ invoiceId }) => invoiceId === invoice.id),
    payments: paid.filter(({ invoiceId }) => invoiceId === invoice.id),
    creditNotes: notes.filter(({ invoiceId }) => invoiceId === invoice.id),
  }));
}
