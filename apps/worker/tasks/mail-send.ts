import { type CoreContext, mintInvitationLink, mintMailLink, sendNotification, type TokenLink } from "@sewa/core";
import { defineTask } from "../define-task.ts";

export const mailSend = defineTask("mail:send", async ({ core, mailer, metrics }, { notificationId }) => {
  try {
    const linkFor = (link: TokenLink): Promise<string | null> => mintLink(core, link);
    metrics.mails.inc({ outcome: await sendNotification(core, notificationId, { mailer, linkFor }) });
  } catch (error) {
    metrics.mails.inc({ outcome: "retried" });
    throw error;
  }
});

/** Each domain makes the links that it takes back. */
function mintLink(core: CoreContext, link: TokenLink): Promise<string | null> {
  return link.kind === "invitation" ? mintInvitationLink(core, link.invitationId) : mintMailLink(core, link);
}
