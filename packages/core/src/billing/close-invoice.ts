import { invoices } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { type InvoiceRow, invoiceTransitions } from "./invoice.ts";

/** The one way out of `open`. A payment that is under way for it is looked at: nobody has to make it any more. */
export async function closeInvoice(
  tx: Tx,
  invoice: InvoiceRow,
  status: "paid" | "void" | "uncollectible",
  values: Partial<typeof invoices.$inferInsert>,
): Promise<void> {
  const allowed: readonly string[] = invoiceTransitions[invoice.status];
  if (!allowed.includes(status)) throw new DomainError("INVALID_TRANSITION", `The invoice is ${invoice.status}.`);
  const [closed] = await tx.sql
    .update(invoices)
    .set({ status, ...values })
    .where(
      and(
        eq(invoices.id, invoice.id),
        eq(invoices.organizationId, organizationOf(tx)),
        eq(invoices.status, invoice.status),
        eq(invoices.paidMinor, invoice.paidMinor),
      ),
    )
    .returning({ liveIntentId: invoices.liveIntentId });
  assert(closed !== undefined, "the invoice is as it was read, because its subscription is locked");
  if (closed.liveIntentId !== null) await enqueue(tx, "payment:reconcile", { intentId: closed.liveIntentId });
}
