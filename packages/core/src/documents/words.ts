import type { InvoiceStatus, RefundRow } from "../billing/index.ts";
import type { DocumentLine, DocumentLocale } from "./document.ts";

export interface DocumentWords {
  readonly invoice: string;
  readonly number: string;
  readonly issued: string;
  readonly due: string;
  readonly seller: string;
  readonly customer: string;
  readonly taxId: string;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly amount: string;
  readonly subtotal: string;
  /** After a tax that prices contain already. */
  readonly contained: string;
  readonly net: string;
  readonly total: string;
  readonly payment: string;
  readonly fromWallet: string;
  readonly refund: string;
  readonly creditNote: string;
  readonly forInvoice: string;
  readonly creditOf: string;
  readonly destinations: Readonly<Record<RefundRow["destination"], string>>;
  /** The provider has not said that it is done. */
  readonly onItsWay: string;
  readonly country: string;
  readonly toPay: string;
  readonly priceVersion: string;
  readonly fromPayment: string;
  readonly page: string;
  readonly units: Readonly<Record<NonNullable<DocumentLine["unit"]>, string>>;
  readonly statuses: Readonly<Record<InvoiceStatus, string>>;
  readonly months: readonly string[];
  /** Between thousands, and before the minor unit. */
  readonly separators: readonly [string, string];
}

export const documentWords: Readonly<Record<DocumentLocale, DocumentWords>> = {
  en: {
    invoice: "Invoice",
    number: "Number",
    issued: "Issued",
    due: "Due",
    seller: "From",
    customer: "Billed to",
    taxId: "Tax id",
    description: "Description",
    quantity: "Quantity",
    unitPrice: "Unit price",
    amount: "Amount",
    subtotal: "Subtotal",
    contained: "included",
    net: "Without tax",
    total: "Total",
    payment: "Payment",
    fromWallet: "Paid from the wallet",
    refund: "Refund",
    creditNote: "Credit note",
    forInvoice: "For invoice",
    creditOf: "Credit on invoice",
    destinations: {
      manual: "Given back by bank",
      wallet: "Put into the wallet",
      provider: "Given back as it was paid",
    },
    onItsWay: "on its way",
    country: "Country",
    toPay: "To pay",
    priceVersion: "price version",
    fromPayment: "from the day of payment",
    page: "Page",
    units: { P30D: "30 days", P1M: "month", rest: "rest of the period" },
    statuses: { draft: "DRAFT", open: "OPEN", paid: "PAID", void: "VOID", uncollectible: "WRITTEN OFF" },
    months: [
      "January",
      "February",
      "March",
      "April",
      "May",
      "June",
      "July",
      "August",
      "September",
      "October",
      "November",
      "December",
    ],
    separators: [",", "."],
  },
  id: {
    invoice: "Faktur",
    number: "Nomor",
    issued: "Tanggal",
    due: "Jatuh tempo",
    seller: "Dari",
    customer: "Ditagihkan kepada",
    taxId: "NPWP",
    description: "Keterangan",
    quantity: "Jumlah",
    unitPrice: "Harga satuan",
    amount: "Nilai",
    subtotal: "Subtotal",
    contained: "termasuk",
    net: "Sebelum pajak",
    total: "Total",
    payment: "Pembayaran",
    fromWallet: "Dibayar dari dompet",
    refund: "Pengembalian dana",
    creditNote: "Nota kredit",
    forInvoice: "Untuk faktur",
    creditOf: "Kredit atas faktur",
    destinations: {
      manual: "Dikembalikan melalui bank",
      wallet: "Dimasukkan ke dompet",
      provider: "Dikembalikan melalui cara pembayaran semula",
    },
    onItsWay: "dalam proses",
    country: "Negara",
    toPay: "Harus dibayar",
    priceVersion: "versi harga",
    fromPayment: "sejak hari pembayaran",
    page: "Halaman",
    units: { P30D: "30 hari", P1M: "bulan", rest: "sisa periode" },
    statuses: { draft: "DRAF", open: "BELUM DIBAYAR", paid: "LUNAS", void: "BATAL", uncollectible: "DIHAPUSKAN" },
    months: [
      "Januari",
      "Februari",
      "Maret",
      "April",
      "Mei",
      "Juni",
      "Juli",
      "Agustus",
      "September",
      "Oktober",
      "November",
      "Desember",
    ],
    separators: [".", ","],
  },
};
