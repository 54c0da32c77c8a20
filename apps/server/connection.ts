import { type Caller, createApiContext, type FinishedCall, type OpenFeed, type SessionCookies } from "@sewa/api";
import { createContext, DomainError } from "@sewa/core";
import type { CallerSource } from "./callers.ts";
import type { Credentials } from "./credentials.ts";
import type { House } from "./house.ts";
import { createSlots } from "./limits.ts";
import { readLog } from "./log-source.ts";

/** One HTTP request, or one WebSocket for as long as it is open. */
export interface Connection {
  readonly requestId: string;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly credentials: Credentials | null;
  readonly callers: CallerSource;
  readonly cookies: SessionCookies;
  /** Takes the place of one stream of this caller; null when there is none left. */
  takeStream(caller: Caller | null): (() => void) | null;
  flushed(): Promise<void>;
}

/** What procedures of this connection are called with. */
export function createConnectionContext(house: House, connection: Connection): ReturnType<typeof createApiContext> {
  const { requestId, address, userAgent, credentials, callers, cookies } = connection;
  const takeName = createSlots(1);
  return createApiContext({
    requestId,
    clientAddress: address,
    userAgent,
    sessionToken: credentials?.kind === "token" ? credentials.secret : null,
    cookies,
    core: createContext(house.core, { actor: house.core.actor, requestId, client: { address, userAgent } }),
    caller: () => callers.get(),
    admit: (caller) => house.admit(caller, address),
    openFeed: (organizationId, signal) => openFeed(house, connection, organizationId, signal),
    readLog: (source, signal) => readLog(source, signal),
    holdLog(name) {
      const giveBackName = takeName(name);
      if (giveBackName === null) throw tooMany("This log is followed on this connection already.");
      const giveBack = house.takeLog(callers.last?.organizationId ?? "nobody");
      if (giveBack === null) {
        giveBackName();
        throw tooMany("Too many logs are followed.");
      }
      return () => {
        giveBackName();
        giveBack();
      };
    },
    flushed: () => connection.flushed(),
    finished: (call: FinishedCall) => house.metrics.finished(call),
  });
}

function openFeed(
  house: House,
  connection: Connection,
  organizationId: string,
  signal: AbortSignal | undefined,
): OpenFeed {
  const giveBack = connection.takeStream(connection.callers.last);
  if (giveBack === null) throw tooMany("Too many streams are open.");
  // A log-out is told under the user: they may be at work in another organization than the one it is written down in.
  const { last } = connection.callers;
  const feed = house.hub.open(last === null ? [organizationId] : [organizationId, last.userId], signal);
  const { subscriptions } = house.metrics;
  subscriptions.inc();
  let isOpen = true;
  return {
    next: () => feed.next(),
    close() {
      feed.close();
      giveBack();
      if (isOpen) subscriptions.dec();
      isOpen = false;
    },
  };
}

function tooMany(message: string): DomainError {
  return new DomainError("RATE_LIMITED", message, { retryAfterSeconds: 5 });
}
