import type { Caller } from "@sewa/api";
import { DomainError } from "@sewa/core";
import type { CallerSource } from "./callers.ts";
import type { FeedHub } from "./feeds.ts";

export interface WatchedSession {
  readonly hub: FeedHub;
  /** Who has opened the socket. */
  readonly caller: Caller;
  readonly callers: CallerSource;
  readonly signal: AbortSignal;
  readonly onEnded: (why: "sessionEnded" | "rightsChanged") => void;
}

/** Busy organizations change many times a second; a session is looked at once in that time. */
const quietMs = 1_000;

/**
 * Tells when an open socket is no longer what it was opened as. A log-out, a new password or a suspension ends its session; a
 * member who was removed, or is something else by now, has to come again, which ends every stream that was begun with the
 * former rights. Each is told under the user or the organization, which wakes us; the feed's slow timer is for the one that
 * got lost.
 */
export async function watchSession({ hub, caller, callers, signal, onEnded }: WatchedSession): Promise<void> {
  // Who acts as a customer goes when the operator's own session does.
  const { organizationId, userId, impersonation } = caller;
  const feed = hub.open(
    [organizationId, userId, ...(impersonation === null ? [] : [impersonation.operatorId])],
    signal,
  );
  try {
    while (await feed.next()) {
      const why = await whyEnded(caller, callers);
      if (why !== null) return onEnded(why);
      await pause(quietMs, signal);
    }
  } finally {
    feed.close();
  }
}

async function whyEnded(caller: Caller, callers: CallerSource): Promise<"sessionEnded" | "rightsChanged" | null> {
  try {
    const now = await callers.refresh();
    if (now === null) return "sessionEnded";
    return now.role === caller.role && now.isOperator === caller.isOperator ? null : "rightsChanged";
  } catch (error) {
    if (!(error instanceof DomainError)) return null; // A database that does not answer says nothing about the session.
    return error.code === "NOT_FOUND" ? "rightsChanged" : "sessionEnded";
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
