import { organizations, payments } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { Page } from "../pages.ts";
import { asTheyAre, type FindOfOrganizationInput, findOn, getFrom } from "./find.ts";

/** Money that was received for an invoice, as operators see it. */
export interface PaymentEntry {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
  readonly invoiceId: string;
  readonly provider: typeof payments.$inferSelect.provider;
  /** What the bank or the gateway calls it. */
  readonly reference: string | null;
  /** In minor units of the currency, as is what was given back of it. */
  readonly amountMinor: bigint;
  readonly refundedMinor: bigint;
  readonly currency: string;
  readonly receivedAt: Date;
}

const shelf = {
  kind: "payment",
  id: payments.id,
  organizationId: payments.organizationId,
  names: [payments.reference, organizations.name],
  select: (tx: Tx) =>
    tx.sql
      .select({
        id: payments.id,
        organizationId: payments.organizationId,
        organizationName: organizations.name,
        invoiceId: payments.invoiceId,
        provider: payments.provider,
        reference: payments.reference,
        amountMinor: payments.amountMinor,
        refundedMinor: payments.refundedMinor,
        currency: payments.currency,
        receivedAt: payments.receivedAt,
      })
      .from(payments)
      .innerJoin(organizations, eq(organizations.id, payments.organizationId))
      .$dynamic(),
  complete: asTheyAre<PaymentEntry>,
} as const;

export function findPayments(ctx: CoreContext, input: FindOfOrganizationInput): Promise<Page<PaymentEntry>> {
  return findOn(ctx, shelf, input);
}

export function getPaymentEntry(ctx: CoreContext, paymentId: string): Promise<PaymentEntry> {
  return getFrom(ctx, shelf, paymentId);
}
