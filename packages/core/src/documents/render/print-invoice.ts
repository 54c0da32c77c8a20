import { addDays, type Period } from "../../periods.ts";
import type { DocumentLine, DocumentLocale, InvoiceDocument } from "../document.ts";
import { documentWords, type DocumentWords } from "../words.ts";
import {
  formatAmount,
  formatDay,
  nameOf,
  printCustomer,
  type PrintedDocument,
  type PrintedLine,
  type PrintedSum,
  printSeller,
} from "./printed.ts";

export function printInvoice(invoice: InvoiceDocument, locale: DocumentLocale): PrintedDocument {
  const words = documentWords[locale];
  const { number, status, customer, seller, openedAt, dueAt } = invoice;
  const day = (at: Date): string => formatDay(at, invoice.timeZone, words);
  return {
    locale,
    number,
    title: number === null ? words.invoice : `${words.invoice} ${number}`,
    madeAt: openedAt,
    stamp: status === "open" ? null : { word: words.statuses[status], status },
    facts: [
      { name: words.number, value: number ?? "" },
      { name: words.issued, value: day(openedAt) },
      ...(dueAt === null ? [] : [{ name: words.due, value: day(dueAt) }]),
    ],
    seller: printSeller(seller, words),
    customer: printCustomer(customer, words),
    columns: [words.description, words.quantity, words.unitPrice, words.amount],
    lines: invoice.lines.map((line) => toPrintedLine(invoice, line, words)),
    sums: toSums(invoice, words),
    page: words.page,
  };
}

function toPrintedLine(invoice: InvoiceDocument, line: DocumentLine, words: DocumentWords): PrintedLine {
  const { description, quantity, unit, period, priceVersion, unitAmountMinor, amountMinor } = line;
  const time =
    period === null
      ? words.fromPayment
      : `${formatDay(period.start, invoice.timeZone, words)} – ${formatDay(lastDayOf(period, invoice.timeZone), invoice.timeZone, words)}`;
  const version = priceVersion === null ? [] : [`${words.priceVersion} ${priceVersion}`];
  return {
    description,
    details: [...(unit === null ? [] : [words.units[unit]]), time, ...version].join(" · "),
    quantity: String(quantity),
    unitPrice: formatAmount(unitAmountMinor, invoice.currency, words),
    amount: formatAmount(amountMinor, invoice.currency, words),
  };
}

/** Half-open: the one before the end on the customer's calendar, unless that is later on the first. */
function lastDayOf({ start, end }: Period, timeZone: string): Date {
  const before = addDays(end, -1, timeZone);
  return before > start ? before : start;
}

function toSums(invoice: InvoiceDocument, words: DocumentWords): readonly PrintedSum[] {
  const { lines, taxes, netMinor, totalMinor, payments, creditNotes, dueMinor, status } = invoice;
  const row = (name: string, amountMinor: bigint, isStrong = false): PrintedSum => ({
    name,
    value: formatAmount(amountMinor, invoice.currency, words),
    isStrong,
  });
  const day = (at: Date): string => formatDay(at, invoice.timeZone, words);
  const linesMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  return [
    row(words.subtotal, linesMinor),
    ...(netMinor === linesMinor ? [] : [row(words.net, netMinor)]),
    ...taxes.map((tax) =>
      row(tax.isInclusive ? `${nameOf(tax, words)} (${words.contained})` : nameOf(tax, words), tax.amountMinor),
    ),
    row(words.total, totalMinor, true),
    ...payments.map(({ at, provider, reference, amountMinor }) => {
      const name = provider === "wallet" ? words.fromWallet : words.payment;
      return row([name, day(at), ...(reference === null ? [] : [`(${reference})`])].join(" "), -amountMinor);
    }),
    ...creditNotes.map(({ number, at, amountMinor }) => row(`${words.refund} ${day(at)} (${number})`, amountMinor)),
    ...(status === "open" ? [row(words.toPay, dueMinor, true)] : []),
  ];
}
