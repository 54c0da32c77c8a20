import { paymentIntents, refunds } from "@sewa/db/schema";
import { and, eq, isNotNull } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { enqueue } from "../jobs/index.ts";

/**
 * After its organization was parked: the provider is asked at once what became of all that waited, so money that was paid on its
 * page meanwhile finds its place. Renewals are collected by the sweep. The caller has unparked it in this transaction.
 */
export async function resumePayments(tx: Tx): Promise<void> {
  const organizationId = organizationOf(tx);
  const intents = await tx.sql
    .select({ intentId: paymentIntents.id })
    .from(paymentIntents)
    .where(and(eq(paymentIntents.organizationId, organizationId), isNotNull(paymentIntents.nextLookAt)));
  for (const { intentId } of intents) await enqueue(tx, "payment:reconcile", { intentId });
  const owed = await tx.sql
    .select({ refundId: refunds.id })
    .from(refunds)
    .where(and(eq(refunds.organizationId, organizationId), isNotNull(refunds.nextLookAt)));
  for (const { refundId } of owed) await enqueue(tx, "refund:reconcile", { refundId });
}
