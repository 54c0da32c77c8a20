import { listOrganizationIdsAtLocalHour, reconcileSubscription, remindOrganization } from "@sewa/core";
import { defineTask } from "../define-task.ts";

export const subscriptionReconcile = defineTask("subscription:reconcile", async ({ core }, { subscriptionId }) => {
  await reconcileSubscription(core, subscriptionId);
});

/** Every organization of a time zone at the same hour, one after the other. */
const remindSeconds = 300;

/** Runs every hour for those organizations where it is the hour of reminders. One that fails does not keep it from the rest. */
export const subscriptionRemind = defineTask(
  "subscription:remind",
  async ({ core }, _, { signal }) => {
    const failures: unknown[] = [];
    for (const organizationId of await listOrganizationIdsAtLocalHour(core, core.config.reminderHour)) {
      signal.throwIfAborted();
      await remindOrganization(core.forOrganization(organizationId)).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  },
  { deadlineSeconds: remindSeconds },
);
