import { erasePerson, remindOperators, sweepDeletions } from "@sewa/core";
import { defineTask } from "../define-task.ts";

export const accountErase = defineTask("account:erase", async ({ core, log }, { userId }) => {
  const erased = await erasePerson(core, userId);
  if (erased !== null) log.info({ userId, ...erased }, "person erased");
});

/** Adds the jobs that were lost. */
export const accountSweep = defineTask("account:sweep", async ({ core }) => {
  await sweepDeletions(core);
});

export const operatorRemind = defineTask("operator:remind", async ({ core, log }) => {
  const told = await remindOperators(core);
  if (told > 0) log.info({ told }, "operators reminded of their passwords");
});
