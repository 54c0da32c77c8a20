import { rewrapKeys } from "@sewa/core";
import { defineTask } from "../define-task.ts";

/** Another worker holds what is left, or a process with an older keyring has just made more of it. */
const againMs = 5_000;

/** Batch by batch while there is any; the rows say where it stopped. */
export const keysRotate = defineTask("keys:rotate", async ({ core, log }, _, run) => {
  for (;;) {
    run.signal.throwIfAborted();
    const outcome = await rewrapKeys(core);
    if (outcome === null) return;
    log.info(outcome, "keys rewrapped");
    if (outcome.left === null) continue;
    return outcome.left > 0 ? run.again(againMs) : undefined;
  }
});
