import { DomainError } from "@sewa/core";
import type { CallerSource } from "./callers.ts";
import type { FeedHub } from "./feeds.ts";

export interface WatchedSession {
  readonly hub: FeedHub;
  readonly organizationId: string;
  readonly callers: CallerSource;
  readonly signal: AbortSignal;
  readonly onEnded: () => void;
}

/** Busy organizations change many times a second; a session is looked at once in that time. */
const quietMs = 1_000;

/**
 * Tells when the session of an open socket has ended. A log-out, a new password or a suspension is an event of the
 * organization, so its notification wakes us; the feed's slow timer is for the one that got lost.
 */
export async function watchSession({ hub, organizationId, callers, signal, onEnded }: WatchedSession): Promise<void> {
  const feed = hub.open(organizationId, signal);
  try {
    while (await feed.next()) {
      if (await hasEnded(callers)) return onEnded();
      await pause(quietMs, signal);
    }
  } finally {
    feed.close();
  }
}

async function hasEnded(callers: CallerSource): Promise<boolean> {
  try {
    return (await callers.refresh()) === null;
  } catch (error) {
    // A suspended account is refused; a database that does not answer says nothing about the session.
    return error instanceof DomainError;
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
