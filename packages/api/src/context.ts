/**
 * What a procedure is called with. The server implements it; frontends see its name and never its insides, so nothing here
 * may mention a package that they do not have.
 */
export interface Context {
  /** Names the request (on a WebSocket: the connection) in answers and logs. */
  readonly requestId: string;
  /** Network address of the client, as far as the trusted proxies tell. */
  readonly clientAddress: string | null;
  /** The session's token, where the client holds one: not on sockets that were opened with a ticket. */
  readonly sessionToken: string | null;
  readonly cookies: SessionCookies;
  readonly core: OpaqueCore;
  /**
   * Who calls; null when nobody is logged in. Asked again by each call, so that a session that ended means nobody on a
   * socket that is still open; an answer is at most five seconds old.
   */
  caller(): Promise<Caller | null>;
  /** Counts this call against the limits of the caller, or of the network address when null. Throws RATE_LIMITED. */
  admit(caller: Caller | null): Promise<void>;
  /** Opened before the first read, so that no change falls between snapshot and stream. Throws RATE_LIMITED. */
  openFeed(organizationId: string, signal: AbortSignal | undefined): OpenFeed;
  /** Resolves once the client has taken most of what was sent to it. */
  flushed(): Promise<void>;
  /** Told about each call that ended, for metrics and logs. Must not throw. */
  finished(call: FinishedCall): void;
}

/** Holds core's context; `coreContext` opens it. */
export interface OpaqueCore {
  readonly opaque: "core";
}

/** Who is logged in. */
export interface Caller {
  readonly userId: string;
  readonly organizationId: string;
  readonly sessionId: string;
  readonly isOperator: boolean;
}

/** Does nothing on a WebSocket, where no cookie can be set. */
export interface SessionCookies {
  set(token: string, expiresAt: Date): void;
  clear(): void;
}

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
