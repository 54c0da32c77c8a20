import { checkLedgers } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Every transaction of a large house. */
const checkSeconds = 1_800;

export const ledgerCheck = defineTask(
  "ledger:check",
  async ({ core, log }, _, { signal }) => {
    const { faults, parked, ...counts } = await checkLedgers(core, signal);
    for (const { organizationId, subject, message } of faults)
      log.error({ organizationId, subject, message }, "ledger is wrong");
    for (const { organizationId, reason } of parked) log.error({ organizationId, reason }, "organization parked");
    log.info({ ...counts, faults: faults.length }, "ledgers checked");
  },
  { deadlineSeconds: checkSeconds },
);
