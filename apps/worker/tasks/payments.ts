import { collectInvoice, reconcilePayment, reconcileRefund, sweepPayments, topUpAutomatically } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Asks again by itself while nobody knows what became of a payment; a customer who takes time is the sweep's. */
export const paymentReconcile = defineTask("payment:reconcile", async ({ core, providers }, { intentId }, run) => {
  const { againMs } = await reconcilePayment(core, intentId, { providers, signal: run.signal });
  if (againMs !== null) await run.again(againMs);
});

export const refundReconcile = defineTask("refund:reconcile", async ({ core, providers }, { refundId }, { signal }) => {
  await reconcileRefund(core, refundId, { providers, signal });
});

export const invoiceCollect = defineTask("invoice:collect", async ({ core }, { invoiceId }) => {
  await collectInvoice(core, invoiceId);
});

export const walletTopUp = defineTask("wallet:topUp", async ({ core }, { organizationId }) => {
  await topUpAutomatically(core, organizationId);
});

/** Due by time is the normal course of things, no correction. */
export const paymentSweep = defineTask("payment:sweep", async ({ core, log }) => {
  const { prompted } = await sweepPayments(core);
  if (prompted > 0) log.info({ prompted }, "payments are due for a look");
});
