import { mintMailLink, sendNotification } from "@sewa/core";
import { defineTask } from "../define-task.ts";

export const mailSend = defineTask("mail:send", async ({ core, mailer, metrics }, { notificationId }) => {
  try {
    const linkFor = (link: Parameters<typeof mintMailLink>[1]): Promise<string> => mintMailLink(core, link);
    metrics.mails.inc({ outcome: await sendNotification(core, notificationId, { mailer, linkFor }) });
  } catch (error) {
    metrics.mails.inc({ outcome: "retried" });
    throw error;
  }
});
