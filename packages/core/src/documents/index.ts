export { type DocumentFormat, documentFormats } from "./document.ts";
export { getInvoiceDocument, type InvoiceDocumentInput, type RenderedDocument } from "./get-invoice-document.ts";
