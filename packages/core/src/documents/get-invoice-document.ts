import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { readInvoice } from "../billing/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { authorize } from "../permissions.ts";
import type { DocumentFormat, DocumentLocale } from "./document.ts";
import { readCreditNote } from "./read-credit-note.ts";
import { readInvoiceDocument } from "./read-invoice-document.ts";
import { printCreditNote } from "./render/print-credit-note.ts";
import { printInvoice } from "./render/print-invoice.ts";
import { renderHtml } from "./render/render-html.ts";
import { renderPdf } from "./render/render-pdf.ts";

/** A file. */
export interface RenderedDocument {
  readonly fileName: string;
  readonly contentType: string;
  readonly content: Uint8Array;
}

export interface InvoiceDocumentInput {
  readonly invoiceId: string;
  readonly format: DocumentFormat;
  /** Of one of its credit notes, which is rendered instead. */
  readonly creditNoteNumber?: string | undefined;
}

/** The invoice as it is printed, in the language of whoever asks. NOT_FOUND for foreign and invented ids. */
export async function getInvoiceDocument(
  ctx: CoreContext,
  { invoiceId, format, creditNoteNumber }: InvoiceDocumentInput,
): Promise<RenderedDocument> {
  authorize(ctx.actor, "invoice.read");
  const printed = await ctx.transaction(async (tx) => {
    const view = await readInvoice(tx, invoiceId);
    const locale = await localeOf(tx);
    return creditNoteNumber === undefined
      ? printInvoice(await readInvoiceDocument(tx, view), locale)
      : printCreditNote(await readCreditNote(tx, view, creditNoteNumber), locale);
  });
  // Series are capital letters and digits, so the name is one that every system takes.
  const name = printed.number ?? "draft";
  if (format === "pdf") {
    return { fileName: `${name}.pdf`, contentType: "application/pdf", content: await renderPdf(printed) };
  }
  const content = Buffer.from(renderHtml(printed));
  return { fileName: `${name}.html`, contentType: "text/html; charset=utf-8", content };
}

async function localeOf(tx: Tx): Promise<DocumentLocale> {
  const { actor } = tx.ctx;
  if (actor.type === "system" || actor.type === "anonymous") return "en";
  const [user] = await tx.sql.select({ locale: users.locale }).from(users).where(eq(users.id, actor.userId));
  return user?.locale ?? "en";
}
