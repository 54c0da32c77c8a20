import { dayMs, minuteMs } from "../clock.ts";
import type { Tx } from "../context.ts";
import { queueNotification } from "../notifications/index.ts";

/** Each kind of account mail goes out at most once in its window, however often it is asked for. */
const windowsMs = { verify_email: 5 * minuteMs, reset_password: 5 * minuteMs, register_attempt: dayMs } as const;

/** Returns whether a mail was queued; false when the last one is too recent. Real time, not the test clock's. */
export async function queueAccountMail(tx: Tx, kind: keyof typeof windowsMs, userId: string): Promise<boolean> {
  const window = Math.floor(tx.ctx.clock.now().getTime() / windowsMs[kind]);
  return queueNotification(tx, { kind, userId, dedupeKey: `${kind}:${userId}:${window}`, data: {} });
}
