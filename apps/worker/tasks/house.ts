import { deleteExpiredRecords, deleteExpiredSessionsAndTokens, stepClock } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Takes an organization's test clock as far as it can go now; core adds the job again while the world needs time. */
export const clockAdvance = defineTask("clock:advance", async ({ core }, { organizationId }) => {
  await stepClock(core, organizationId);
});

export const houseClean = defineTask("house:clean", async ({ core, log }) => {
  const deleted = await deleteExpiredSessionsAndTokens(core);
  const records = await deleteExpiredRecords(core);
  log.info({ ...deleted, idempotencyRecords: records }, "house cleaned");
});
