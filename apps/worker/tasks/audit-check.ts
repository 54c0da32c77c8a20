import { checkAudit } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Every chain of a large house. */
const checkSeconds = 600;

export const auditCheck = defineTask(
  "audit:check",
  async ({ core, log, metrics }, _, { signal }) => {
    const { faults, ...counts } = await checkAudit(core, signal);
    metrics.auditFaults.set(faults.length);
    for (const { organizationId, subject, message } of faults)
      log.error({ organizationId, subject, message }, "audit is wrong");
    log.info({ ...counts, faults: faults.length }, "audit checked");
  },
  { deadlineSeconds: checkSeconds },
);
