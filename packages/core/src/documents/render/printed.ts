import { toMajor } from "../../money.ts";
import { localDay } from "../../periods.ts";
import { toPercent } from "../../taxes/index.ts";
import type { InvoiceStatus } from "../../billing/index.ts";
import type { DocumentCustomer, DocumentLocale, DocumentSeller, DocumentTax } from "../document.ts";
import type { DocumentWords } from "../words.ts";

/** An invoice or a credit note in words: what both renderings lay out, so that they cannot say different things. */
export interface PrintedDocument {
  readonly locale: DocumentLocale;
  /** Null for a draft, which has none. */
  readonly number: string | null;
  readonly title: string;
  readonly madeAt: Date;
  /** A large word over the page; null for what is simply open. */
  readonly stamp: { readonly word: string; readonly status: InvoiceStatus } | null;
  readonly facts: readonly PrintedPair[];
  readonly seller: PrintedParty | null;
  readonly customer: PrintedParty;
  readonly columns: readonly [string, string, string, string];
  readonly lines: readonly PrintedLine[];
  readonly sums: readonly PrintedSum[];
  readonly page: string;
}

export interface PrintedPair {
  readonly name: string;
  readonly value: string;
}

export interface PrintedParty {
  readonly heading: string;
  readonly lines: readonly string[];
}

export interface PrintedLine {
  readonly description: string;
  /** Period, unit and price version: what makes the amount understandable without asking. */
  readonly details: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly amount: string;
}

export interface PrintedSum extends PrintedPair {
  readonly isStrong: boolean;
}

export function printSeller(seller: DocumentSeller | null, words: DocumentWords): PrintedParty | null {
  if (seller === null) return null;
  const { name, address, taxId } = seller;
  return { heading: words.seller, lines: [name, ...(address === null ? [] : [address]), ...named(words.taxId, taxId)] };
}

export function printCustomer(customer: DocumentCustomer, words: DocumentWords): PrintedParty {
  const { organization, name, email, taxId, country } = customer;
  const lines = [organization, name, email, ...named(words.country, country), ...named(words.taxId, taxId)];
  return { heading: words.customer, lines };
}

function named(name: string, value: string | null): readonly string[] {
  return value === null ? [] : [`${name}: ${value}`];
}

/** `PPN 11%`, the number as the language writes it. */
export function nameOf({ name, basisPoints }: DocumentTax, words: DocumentWords): string {
  return `${name} ${toPercent(basisPoints).replace(".", words.separators[1])}%`;
}

/** `IDR 50,000` in English, `IDR 50.000` in Indonesian: never rounded, never left out. */
export function formatAmount(amountMinor: bigint, currency: string, { separators }: DocumentWords): string {
  const [thousands, decimal] = separators;
  const [whole = "", fraction] = toMajor({
    amountMinor: amountMinor < 0n ? -amountMinor : amountMinor,
    currency,
  }).split(".");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, thousands);
  return `${amountMinor < 0n ? "-" : ""}${currency} ${grouped}${fraction === undefined ? "" : `${decimal}${fraction}`}`;
}

export function formatDay(at: Date, timeZone: string, { months }: DocumentWords): string {
  const [year, month, day] = localDay(at, timeZone).split("-");
  return `${Number(day)} ${months[Number(month) - 1] ?? ""} ${year ?? ""}`;
}
