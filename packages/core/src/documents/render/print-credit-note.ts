import type { CreditNoteDocument, DocumentLocale } from "../document.ts";
import { documentWords, type DocumentWords } from "../words.ts";
import {
  formatAmount,
  formatDay,
  nameOf,
  printCustomer,
  type PrintedDocument,
  type PrintedSum,
  printSeller,
} from "./printed.ts";

/** One line over what is taken back without taxes, and each tax beside it: so it reads the same however prices hold them. */
export function printCreditNote(note: CreditNoteDocument, locale: DocumentLocale): PrintedDocument {
  const words = documentWords[locale];
  const { number, invoice, issuedAt, timeZone, currency, seller, customer, reason, netMinor } = note;
  const day = (at: Date): string => formatDay(at, timeZone, words);
  const net = formatAmount(netMinor, currency, words);
  return {
    locale,
    number,
    title: `${words.creditNote} ${number}`,
    madeAt: issuedAt,
    stamp: null,
    facts: [
      { name: words.number, value: number },
      { name: words.issued, value: day(issuedAt) },
      { name: words.forInvoice, value: `${invoice.number}, ${day(invoice.openedAt)}` },
    ],
    seller: printSeller(seller, words),
    customer: printCustomer(customer, words),
    columns: [words.description, words.quantity, words.unitPrice, words.amount],
    lines: [
      {
        description: `${words.creditOf} ${invoice.number}`,
        details: reason,
        quantity: "1",
        unitPrice: net,
        amount: net,
      },
    ],
    sums: toSums(note, words),
    page: words.page,
  };
}

function toSums({ currency, netMinor, taxes, totalMinor, refund }: CreditNoteDocument, words: DocumentWords) {
  const row = (name: string, amountMinor: bigint, isStrong = false): PrintedSum => ({
    name,
    value: formatAmount(amountMinor, currency, words),
    isStrong,
  });
  return [
    row(words.net, netMinor),
    ...taxes.map((tax) => row(nameOf(tax, words), tax.amountMinor)),
    row(words.total, totalMinor, true),
    ...(refund === null ? [] : [row(wayOf(refund, words), totalMinor)]),
  ];
}

function wayOf({ destination, status }: NonNullable<CreditNoteDocument["refund"]>, words: DocumentWords): string {
  const way = words.destinations[destination];
  return status === "pending" ? `${way} (${words.onItsWay})` : way;
}
