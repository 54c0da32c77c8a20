import type { TokenScopeDto } from "./organizations/dto.ts";

/**
 * What a procedure is called with. The server implements it; frontends see its name and never its insides, so nothing here
 * may mention a package that they do not have.
 */
export interface Context {
  /** Names the request (on a WebSocket: the connection) in answers and logs. */
  readonly requestId: string;
  /** Network address of the client, as far as the trusted proxies tell. */
  readonly clientAddress: string | null;
  /** What the client says it is. */
  readonly userAgent: string | null;
  /** The session's token, where the client holds one: not on sockets that were opened with a ticket. */
  readonly sessionToken: string | null;
  readonly cookies: SessionCookies;
  readonly core: OpaqueCore;
  /**
   * Who calls; null when nobody is logged in. Asked again by each call, so that a session that ended means nobody on a
   * socket that is still open; an answer is at most five seconds old. Throws NOT_FOUND for who is no member (any more) of the
   * organization that they speak for, which stays the same for as long as the connection is open.
   */
  caller(): Promise<Caller | null>;
  /** Counts this call against the limits of the caller, or of the network address when null. Throws RATE_LIMITED. */
  admit(caller: Caller | null): Promise<void>;
  /** Opened before the first read, so that no change falls between snapshot and stream. Throws RATE_LIMITED. */
  openFeed(organizationId: string, signal: AbortSignal | undefined): OpenFeed;
  /**
   * Reads an app's log through one of our workers, piece by piece as it comes. Never throws; the last item of the last
   * piece says how it ended, unless `signal` did that.
   */
  readLog(source: LogSource, signal: AbortSignal): AsyncIterable<readonly RelayedLog[]>;
  /** Takes the one place for a log of this name on this connection; call what it answers to give it back. Throws RATE_LIMITED. */
  holdLog(name: string): () => void;
  /** Resolves once the client has taken most of what was sent to it. */
  flushed(): Promise<void>;
  /** Told about each call that ended, for metrics and logs. Must not throw. */
  finished(call: FinishedCall): void;
}

/** Holds core's context; `coreContext` opens it. */
export interface OpaqueCore {
  readonly opaque: "core";
}

/** Who is logged in, for whom and as what. */
export interface Caller {
  readonly userId: string;
  readonly organizationId: string;
  /** In that organization. */
  readonly role: "owner" | "admin" | "developer" | "billing" | "viewer";
  /** Of a program, the id of its token: what limits are counted by. */
  readonly sessionId: string;
  readonly isOperator: boolean;
  /** Of an operator who has to choose a new one before anything else. */
  readonly hasExpiredPassword: boolean;
  /** By which a program calls; null when a person has logged in. */
  readonly token: CallerToken | null;
  /** Of an operator who acts as the user, in this organization alone; null for the user. */
  readonly impersonation: CallerImpersonation | null;
}

export interface CallerImpersonation {
  readonly operatorId: string;
  readonly reason: string;
  readonly endsAt: Date;
}

/** An API token does what its member may, as far as its scopes go. */
export interface CallerToken {
  readonly id: string;
  readonly scopes: readonly TokenScopeDto[];
}

/** Does nothing on a WebSocket, where no cookie can be set. */
export interface SessionCookies {
  set(token: string, expiresAt: Date): void;
  clear(): void;
}

/** Where a log can be read: workers in the order in which to ask them, and what they let us in for. */
export interface LogSource {
  readonly urls: readonly string[];
  readonly ticket: string;
}

/**
 * `at`: UTC with nine digits of a second. The end is `ended` when that was all or the container has ended, `gone` when
 * there is no such pod or container, `lost` when no worker or no cluster answered or the connection broke.
 */
export type RelayedLog =
  | { readonly kind: "line"; readonly at: string | null; readonly text: string; readonly isCut: boolean }
  | { readonly kind: "end"; readonly reason: "ended" | "gone" | "lost" };

/** Resolves true when the organization may have changed (a notification or a slow timer), false when the client is gone. */
export interface ChangeFeed {
  next(): Promise<boolean>;
}

/** A feed and the way to give it back. */
export interface OpenFeed extends ChangeFeed {
  close(): void;
}

export interface FinishedCall {
  readonly path: string;
  readonly type: "query" | "mutation" | "subscription";
  /** `OK` or the code of the error. */
  readonly code: string;
  readonly durationMs: number;
}
