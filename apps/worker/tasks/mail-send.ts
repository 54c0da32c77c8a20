import { mintMailLink, sendNotification } from "@sewa/core";
import { defineTask } from "../define-task.ts";

export const mailSend = defineTask("mail:send", async ({ core, mailer }, { notificationId }) => {
  await sendNotification(core, notificationId, { mailer, linkFor: (link) => mintMailLink(core, link) });
});
