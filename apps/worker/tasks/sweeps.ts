import {
  concludeImpersonations,
  sweepChanges,
  sweepClocks,
  sweepInstances,
  sweepNotifications,
  sweepSubscriptions,
} from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Each finds from the tables what lies undone, and counts what it had to correct. */
export const instanceSweep = defineTask("instance:sweep", async ({ core, metrics, resyncSeconds }) => {
  // What time has made due is the normal course of things, no correction.
  metrics.corrections.inc({ sweep: "change" }, (await sweepChanges(core)).readded);
  const { failed, readded } = await sweepInstances(core, { resyncSeconds });
  metrics.corrections.inc({ sweep: "instance" }, readded);
  metrics.corrections.inc({ sweep: "operation" }, failed);
});

export const subscriptionSweep = defineTask("subscription:sweep", async ({ core, log, metrics }) => {
  metrics.corrections.inc({ sweep: "clock" }, (await sweepClocks(core)).readded);
  const { due } = await sweepSubscriptions(core);
  // Due by time is the normal course of things, no correction.
  if (due > 0) log.info({ due }, "subscriptions are due");
});

export const mailSweep = defineTask("mail:sweep", async ({ core, metrics }) => {
  metrics.corrections.inc({ sweep: "mail" }, await sweepNotifications(core));
});

export const impersonationSweep = defineTask("impersonation:sweep", async ({ core, log }) => {
  const ended = await concludeImpersonations(core);
  // That one ends is the normal course of things, no correction.
  if (ended > 0) log.info({ ended }, "impersonations have ended");
});
