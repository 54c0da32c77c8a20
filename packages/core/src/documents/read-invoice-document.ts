import { prices, subscriptions } from "@sewa/db/schema";
import { and, eq, inArray, sql } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import { formatInvoiceNumber, type InvoiceRow, type InvoiceView } from "../billing/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { toPublicId } from "../ids.ts";
import type { DocumentCustomer, DocumentLine, InvoiceDocument } from "./document.ts";

/** Lines with what makes their amounts understandable, and what has happened to the invoice since. */
export async function readInvoiceDocument(
  tx: Tx,
  { invoice, lines, taxes, payments, creditNotes }: InvoiceView,
): Promise<InvoiceDocument> {
  const { timeZone } = await getOrganization(tx);
  const { openedAt, createdAt, customer, totalMinor, taxMinor, paidMinor, status } = invoice;
  const { dueAt, paidAt, closedAt, currency, seller } = invoice;
  return {
    number: formatInvoiceNumber(invoice),
    status,
    timeZone,
    currency,
    openedAt: openedAt ?? createdAt,
    dueAt,
    paidAt,
    closedAt,
    seller,
    customer: toCustomer(customer),
    lines: await readLines(tx, invoice, lines),
    taxes: taxes.map(({ name, basisPoints, isInclusive, amountMinor }) => ({
      name,
      basisPoints,
      isInclusive,
      amountMinor,
    })),
    netMinor: totalMinor - taxMinor,
    totalMinor,
    payments: payments.map((payment) => {
      const { provider, receivedAt: at, amountMinor } = payment;
      return { at, provider, reference: referenceOf(payment), amountMinor };
    }),
    creditNotes: creditNotes.map((note) => {
      const { issuedAt: at, amountMinor } = note;
      return { number: formatInvoiceNumber(note) ?? "", at, amountMinor };
    }),
    dueMinor: status === "open" ? totalMinor - paidMinor : 0n,
  };
}

async function readLines(
  tx: Tx,
  invoice: InvoiceView["invoice"],
  lines: InvoiceView["lines"],
): Promise<readonly DocumentLine[]> {
  const { periodStart, periodEnd, subscriptionId } = invoice;
  // Interval and zone of a subscription never change.
  const [terms] = await tx.sql
    .select({ interval: subscriptions.interval })
    .from(subscriptions)
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)));
  assert(terms !== undefined, "an invoice is of a subscription");
  const versions = await readPriceVersions(
    tx,
    lines.flatMap(({ priceId }) => priceId ?? []),
  );
  const period = periodStart === null || periodEnd === null ? null : { start: periodStart, end: periodEnd };
  return lines.map(({ kind, description, priceId, amountMinor, ...line }) => {
    // What is counted in base units, or taken off, says so in its words; nobody reads byte-seconds.
    const isWhole = kind === "usage" || kind === "discount" || kind === "setup";
    const { periodStart: from, periodEnd: to } = line;
    return {
      description,
      quantity: isWhole ? 1n : line.quantity,
      unit: isWhole ? null : kind === "change" ? "rest" : terms.interval,
      period: from === null || to === null ? period : { start: from, end: to },
      priceVersion: priceId === null ? null : (versions.get(priceId) ?? null),
      unitAmountMinor: isWhole ? amountMinor : line.unitAmountMinor,
      amountMinor,
    };
  });
}

/** Prices are superseded and never deleted, so the number of those before one stays what it is. */
async function readPriceVersions(tx: Tx, priceIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (priceIds.length === 0) return new Map();
  const rows = await tx.sql
    .select({
      id: prices.id,
      version: sql<string>`(select count(*) from prices p where p.plan_id = prices.plan_id and p.currency = prices.currency and p.id <= prices.id)`,
    })
    .from(prices)
    .where(inArray(prices.id, [...new Set(priceIds)]));
  return new Map(rows.map(({ id, version }) => [id, Number(version)]));
}

/** As the customer knows it: the bank's words, or the payment's id. */
function referenceOf({ provider, reference }: InvoiceView["payments"][number]): string | null {
  if (reference === null || provider === "wallet") return null;
  return provider === "manual" ? reference : toPublicId("intent", reference);
}

export function toCustomer({
  organization,
  name,
  email,
  taxId = null,
  country = null,
}: InvoiceRow["customer"]): DocumentCustomer {
  return { organization, name, email, taxId, country };
}
