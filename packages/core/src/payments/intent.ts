import type { paymentIntents } from "@sewa/db/schema";
import { addMs, dayMs, hourMs, minuteMs, secondMs } from "../clock.ts";

export type IntentRow = typeof paymentIntents.$inferSelect;
export type IntentStatus = IntentRow["status"];

/**
 * created: written down; the provider was not asked yet, or its answer was lost (`asked_at` is set then) and is looked up.
 * pending: the provider knows it and waits for the customer or for a bank.
 * succeeded: the money was taken, and stands in the ledger: for the invoice, or in the wallet. Terminal.
 * failed: refused by the provider. expired: nobody paid in time. cancelled: not wanted any more.
 * The last three are left when the provider took the money all the same: money that has come cannot be refused.
 */
export const intentTransitions = {
  created: ["pending", "succeeded", "failed", "expired", "cancelled"],
  pending: ["succeeded", "failed", "expired", "cancelled"],
  succeeded: [],
  failed: ["succeeded"],
  expired: ["succeeded"],
  cancelled: ["succeeded"],
} as const satisfies Record<IntentStatus, readonly IntentStatus[]>;

/** Whether a customer may still pay it. */
export function isLive({ status }: Pick<IntentRow, "status">): boolean {
  return status === "created" || status === "pending";
}

/**
 * begin: ask for the money, for the first time. lookUp: ask what became of it. cancel: let nobody pay it any more, and ask
 * what became of it. forget: end it without a word, because nobody else has heard of it.
 */
export type ProviderCall = "begin" | "lookUp" | "cancel" | "forget";

/** What to say to the provider. Pure. `isWanted`: what it pays for still has to be paid. */
export function decideCall(intent: IntentRow, isWanted: boolean, now: Date): ProviderCall | null {
  if (intent.status === "succeeded") return null;
  const isOver = !isLive(intent) || intent.cancelRequestedAt !== null || !isWanted || now >= intent.expiresAt;
  if (intent.askedAt === null) return isLive(intent) ? (isOver ? "forget" : "begin") : null;
  return isOver ? "cancel" : "lookUp";
}

const unknownMs = { first: 5 * secondMs, most: 5 * minuteMs } as const;
const pendingMs = { first: 30 * secondMs, most: 15 * minuteMs } as const;
/**
 * After it has ended, from one look to the next: a call that was on its way or a bank that was slow may still bring money, and its
 * notice may never come. Two weeks in all, for which a transfer to a virtual account can be late.
 */
export const lookAfterEndMs = [10 * minuteMs, hourMs, dayMs, 2 * dayMs, 4 * dayMs, 7 * dayMs] as const;

/** When to ask again, after so many looks without an end. */
export function nextLook(intent: Pick<IntentRow, "status" | "looks" | "expiresAt">, now: Date): Date {
  const { first, most } = intent.status === "pending" ? pendingMs : unknownMs;
  const at = addMs(now, Math.min(first * 2 ** Math.min(intent.looks, 20), most));
  return now < intent.expiresAt && intent.expiresAt < at ? intent.expiresAt : at;
}

/** The same for one that has ended, after so many looks with an answer; null when nothing more is expected. */
export function nextLookAfterEnd(looks: number, now: Date): Date | null {
  const ms = lookAfterEndMs[looks];
  return ms === undefined ? null : addMs(now, ms);
}

/** A notice about one that has ended, whose prompt was lost, waits no longer than this for a look. */
export const longestUnansweredMs = dayMs;

/** When to ask again about one that has ended, if nobody answered. That was no look: those that are to come stay. */
export function nextTryAfterEnd(looks: number, now: Date): Date {
  return addMs(now, Math.min(lookAfterEndMs[looks] ?? longestUnansweredMs, longestUnansweredMs));
}
