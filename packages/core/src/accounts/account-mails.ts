import { dayMs, minuteMs } from "../clock.ts";
import type { Tx } from "../context.ts";
import { type Notification, queueNotification } from "../notifications/index.ts";

/** Each kind of account mail goes out at most once in its window, however often it is asked for. */
const windowsMs = { verify_email: 5 * minuteMs, reset_password: 5 * minuteMs, register_attempt: dayMs } as const;

/** Returns whether a mail was queued; false when the last one is too recent. Real time, not the test clock's. */
export async function queueAccountMail(tx: Tx, kind: keyof typeof windowsMs, userId: string): Promise<boolean> {
  const window = Math.floor(tx.ctx.clock.now().getTime() / windowsMs[kind]);
  return queueNotification(tx, { kind, userId, dedupeKey: `${kind}:${userId}:${window}`, data: {} });
}

type SecurityNotice = Extract<
  Notification,
  { kind: "sign_in_added" | "sign_in_removed" | "password_changed" | "second_factor_changed" }
>;

/** Tells the user's mail box how one comes in from now on, each time that it changes: whoever did it, the owner hears of it. */
export async function queueSecurityNotice(tx: Tx, userId: string, notice: SecurityNotice): Promise<void> {
  await queueNotification(tx, { ...notice, userId, dedupeKey: `${notice.kind}:${tx.ctx.ids.next()}` });
}
