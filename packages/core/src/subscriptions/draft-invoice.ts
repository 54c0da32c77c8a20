import { subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import {
  amountOfLine,
  draftUsageLines,
  findInvoiceOfPeriod,
  getInvoice,
  type InvoiceRow,
  listOpenInvoices,
  type NewInvoice,
  type NewLine,
  openInvoice,
  totalOfLines,
} from "../billing/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { usePeriod } from "../coupons/index.ts";
import { assert, notFound, unreachable } from "../errors.ts";
import type { Period } from "../periods.ts";
import { authorize } from "../permissions.ts";
import { deriveTaxes, ratesOf, type Tax } from "../taxes/index.ts";
import { findNextCharge } from "./charge.ts";
import { advanced } from "./foresee.ts";
import { nextPeriodKey, renewalTermsOf, type SubscriptionRow } from "./subscription.ts";

export interface InvoiceDraft extends NewInvoice {
  /** Of the coupon whose period goes into it; null where none takes anything off. */
  readonly redemptionId: string | null;
  /** It is for the first period after a trial. */
  readonly endsTrial: boolean;
}

/** What would be asked for now: the next period, and what was used and not asked for yet. Of a cancelled one only that. */
export async function draftInvoice(tx: Tx, subscription: SubscriptionRow): Promise<InvoiceDraft> {
  const { id: subscriptionId, status, currency } = subscription;
  const { lines, redemptionId, endsTrial } =
    status === "cancelled"
      ? { lines: await draftUsageLines(tx, subscription), redemptionId: null, endsTrial: false }
      : await findNextCharge(tx, subscription);
  const common = { subscriptionId, currency, redemptionId, endsTrial, lines };
  switch (status) {
    case "pending":
      return { ...common, reason: "order", ...nextPeriodKey(subscription), period: null, dueAt: tx.now };
    case "expired":
      return { ...common, reason: "reactivation", ...nextPeriodKey(subscription), period: null, dueAt: tx.now };
    case "active":
    case "past_due": {
      const { period, dueAt } = renewalTermsOf(subscription);
      return { ...common, reason: "renewal", ...nextPeriodKey(subscription), period, dueAt };
    }
    case "cancelled": {
      const { termNumber, periodIndex } = subscription;
      return {
        ...common,
        reason: "usage",
        termNumber,
        periodIndex,
        period: rangeOf(lines),
        dueAt: tx.now,
      };
    }
    default:
      return unreachable(status);
  }
}

/** Books what was drafted, in the transaction in which it was. */
export async function openDraft(tx: Tx, draft: InvoiceDraft): Promise<InvoiceRow> {
  const { redemptionId, endsTrial: _endsTrial, ...invoice } = draft;
  const opened = await openInvoice(tx, invoice);
  if (redemptionId !== null) await usePeriod(tx, redemptionId, opened.id);
  return opened;
}

function rangeOf(lines: readonly NewLine[]): Period | null {
  const starts = lines.flatMap(({ periodStart }) => periodStart?.getTime() ?? []);
  const ends = lines.flatMap(({ periodEnd }) => periodEnd?.getTime() ?? []);
  return starts.length === 0 ? null : { start: new Date(Math.min(...starts)), end: new Date(Math.max(...ends)) };
}

type PreviewLine = NewLine & { readonly amountMinor: bigint };

export interface InvoicePreview {
  readonly subscriptionId: string;
  /** The invoice that is open for it already; null while nothing is asked for. */
  readonly invoiceId: string | null;
  readonly reason: InvoiceRow["reason"];
  readonly period: Period | null;
  readonly currency: string;
  readonly taxes: readonly Pick<Tax, "name" | "basisPoints" | "isInclusive" | "baseMinor" | "amountMinor">[];
  /** With the taxes that prices do not contain. */
  readonly totalMinor: bigint;
  readonly dueAt: Date | null;
  readonly lines: readonly PreviewLine[];
}

/**
 * The next invoice as it stands open, or as it would be booked now: after a renewal that is paid already, the one of the period after that;
 * of what ends with its period, no more than what was used. Writes nothing.
 */
export async function previewNextInvoice(ctx: CoreContext, subscriptionId: string): Promise<InvoicePreview> {
  authorize(ctx.actor, "invoice.read");
  const found = await ctx.transaction(async (tx) => {
    const [subscription] = await tx.sql
      .select()
      .from(subscriptions)
      .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)));
    if (subscription === undefined) throw notFound("subscription");
    const next = await findNext(tx, subscription);
    if (next?.status === "open") return { open: next };
    return { preview: await toPreview(tx, await draftInvoice(tx, asAskedNext(subscription, next))) };
  });
  if (found.preview !== undefined) return found.preview;
  const { invoice, lines, taxes } = await getInvoice(ctx, found.open.id);
  const { id: invoiceId, reason, periodStart, periodEnd, currency, totalMinor, dueAt } = invoice;
  const period = periodStart === null || periodEnd === null ? null : { start: periodStart, end: periodEnd };
  return { subscriptionId, invoiceId, reason, period, currency, taxes, totalMinor, dueAt, lines };
}

async function findNext(tx: Tx, subscription: SubscriptionRow): Promise<InvoiceRow | null> {
  const next = await findInvoiceOfPeriod(tx, { subscriptionId: subscription.id, ...nextPeriodKey(subscription) });
  return subscription.status === "cancelled" ? findUsageInvoice(tx, subscription.id) : next;
}

/** As it will be when it is asked for something again. */
function asAskedNext(subscription: SubscriptionRow, next: InvoiceRow | null): SubscriptionRow {
  const { status, cancelAtPeriodEnd } = subscription;
  if (status !== "active" && status !== "past_due") return subscription;
  if (next?.status === "paid") return advanced(subscription);
  return cancelAtPeriodEnd ? { ...subscription, status: "cancelled" } : subscription;
}

/** What a cancelled subscription still asks for; null when it asks for nothing. */
export async function findUsageInvoice(tx: Tx, subscriptionId: string): Promise<InvoiceRow | null> {
  const open = (await listOpenInvoices(tx, subscriptionId)).filter(({ reason }) => reason === "usage");
  assert(open.length <= 1, "use is asked for by one invoice after the other");
  return open[0] ?? null;
}

async function toPreview(tx: Tx, draft: NewInvoice): Promise<InvoicePreview> {
  const { subscriptionId, reason, period, currency, dueAt, lines } = draft;
  const { taxes, totalMinor } = deriveTaxes(totalOfLines(lines), await ratesOf(tx, tx.now));
  return {
    subscriptionId,
    invoiceId: null,
    reason,
    period,
    currency,
    taxes,
    totalMinor,
    dueAt,
    lines: lines.map((line) => ({ ...line, amountMinor: amountOfLine(line) })),
  };
}
