import { rateUsage, watchSpending } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** After an outage there may be days of hours. */
const rateSeconds = 300;

/** Makes records of the hours that have ended, then tells customers, and stops apps, where they want to spend no more. */
export const usageRate = defineTask(
  "usage:rate",
  async ({ core, log }) => {
    const records = await rateUsage(core);
    if (records > 0) log.info({ records }, "usage rated");
    await watchSpending(core);
  },
  { deadlineSeconds: rateSeconds },
);
