import {
  deleteOldBooks,
  deleteExpiredRecords,
  deleteExpiredSessionsAndTokens,
  deleteInvitationTokens,
  deleteOldInventory,
  deleteOldNotices,
  deleteOldPlans,
  deleteOldUptime,
  deleteOldUsage,
  stepClock,
} from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Takes an organization's test clock as far as it can go now; core adds the job again while the world needs time. */
export const clockAdvance = defineTask("clock:advance", async ({ core, cluster }, { organizationId }, { signal }) => {
  const measure = cluster === null ? {} : { measure: () => cluster.usage({ signal }) };
  await stepClock(core, organizationId, measure);
});

export const houseClean = defineTask("house:clean", async ({ core, log }) => {
  const deleted = await deleteExpiredSessionsAndTokens(core);
  const invitationTokens = await deleteInvitationTokens(core);
  const records = await deleteExpiredRecords(core);
  const paymentNotices = await deleteOldNotices(core);
  const usage = await deleteOldUsage(core);
  const inventory = await deleteOldInventory(core);
  const uptimeDays = await deleteOldUptime(core);
  const plans = await deleteOldPlans(core);
  const books = await deleteOldBooks(core);
  const counts = { ...deleted, idempotencyRecords: records, usageSamples: usage.samples, usageHours: usage.hours };
  const { simulatedHours } = usage;
  const rest = { invitationTokens, simulatedHours };
  log.info({ ...counts, ...rest, uptimeDays, inventory, plans, paymentNotices, books }, "house cleaned");
});
