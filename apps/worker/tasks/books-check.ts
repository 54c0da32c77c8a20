import { runBooksCheck } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Another one asks, or more has changed than one look asks about. */
const againMs = 5_000;
/** All of a large house, each check in one statement. */
const checkSeconds = 600;

export const booksCheck = defineTask(
  "books:check",
  async ({ core, log }, { mode }, run) => {
    const outcome = await runBooksCheck(core, { mode });
    if (outcome === null) return run.again(againMs);
    for (const { checkId, kind, rowId, organizationId } of outcome.opened) {
      const fields = { check: checkId, row: rowId, organizationId };
      if (kind === "books") log.error(fields, "books are wrong");
      else log.warn(fields, "books are late or out of step");
    }
    for (const { organizationId, reason } of outcome.parked)
      log.error({ organizationId, reason }, "organization parked");
    const { organizations, findings, resolved } = outcome.run;
    log.info({ mode, organizations, findings, opened: outcome.opened.length, resolved }, "books checked");
    if (!outcome.isComplete) await run.again(againMs);
  },
  { deadlineSeconds: checkSeconds },
);
