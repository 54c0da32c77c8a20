import type { JobName } from "@sewa/core";
import type { TaskDefinition } from "./define-task.ts";
import { accountErase, accountSweep, operatorRemind } from "./tasks/accounts.ts";
import { auditCheck } from "./tasks/audit-check.ts";
import { booksCheck } from "./tasks/books-check.ts";
import { changePreview, changeReconcile } from "./tasks/changes.ts";
import { clockAdvance, houseClean } from "./tasks/house.ts";
import { instanceProbe } from "./tasks/instance-probe.ts";
import { instanceReconcile } from "./tasks/instance-reconcile.ts";
import { inventoryAudit } from "./tasks/inventory-audit.ts";
import { keysRotate } from "./tasks/keys-rotate.ts";
import { ledgerCheck } from "./tasks/ledger-check.ts";
import { mailSend } from "./tasks/mail-send.ts";
import { nodeReconcile } from "./tasks/node-reconcile.ts";
import { invoiceCollect, paymentReconcile, paymentSweep, refundReconcile, walletTopUp } from "./tasks/payments.ts";
import { subscriptionReconcile, subscriptionRemind } from "./tasks/subscriptions.ts";
import { impersonationSweep, instanceSweep, mailSweep, subscriptionSweep } from "./tasks/sweeps.ts";
import { usageRate } from "./tasks/usage-rate.ts";
import { usageSample } from "./tasks/usage-sample.ts";

/** By name, so that a job without a task does not compile. */
const byName = {
  "instance:reconcile": instanceReconcile,
  "subscription:reconcile": subscriptionReconcile,
  "change:preview": changePreview,
  "change:reconcile": changeReconcile,
  "payment:reconcile": paymentReconcile,
  "refund:reconcile": refundReconcile,
  "invoice:collect": invoiceCollect,
  "wallet:topUp": walletTopUp,
  "mail:send": mailSend,
  "clock:advance": clockAdvance,
  "node:reconcile": nodeReconcile,
  "instance:probe": instanceProbe,
  "usage:sample": usageSample,
  "usage:rate": usageRate,
  "instance:sweep": instanceSweep,
  "subscription:sweep": subscriptionSweep,
  "payment:sweep": paymentSweep,
  "subscription:remind": subscriptionRemind,
  "impersonation:sweep": impersonationSweep,
  "mail:sweep": mailSweep,
  "inventory:audit": inventoryAudit,
  "books:check": booksCheck,
  "account:erase": accountErase,
  "account:sweep": accountSweep,
  "operator:remind": operatorRemind,
  "keys:rotate": keysRotate,
  "audit:check": auditCheck,
  "ledger:check": ledgerCheck,
  "house:clean": houseClean,
} as const satisfies Record<JobName, TaskDefinition>;

export const tasks: readonly TaskDefinition[] = Object.values(byName);
