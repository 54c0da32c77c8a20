/** Everything that a client could want too much of. Per process, unless it says otherwise. */
export interface ServerLimits {
  readonly bodyBytes: number;
  /** Calls in one HTTP request or one frame of a WebSocket. */
  readonly batchCalls: number;
  readonly frameBytes: number;
  /** Frames that are no JSON, after which a socket is closed. */
  readonly badFrames: number;
  /** How long a socket may take to say who it is. */
  readonly connectionParamsMs: number;
  readonly socketsPerSession: number;
  readonly socketsPerAddress: number;
  readonly subscriptionsPerSocket: number;
  /** Of one session, over HTTP (server-sent events). */
  readonly streamsPerSession: number;
  /** Logs that an organization follows at once. */
  readonly logsPerOrganization: number;
  /** What may wait for a slow reader before its socket is closed. */
  readonly bufferedBytes: number;
  /** Age of the answer to "who is this?" on an open socket. */
  readonly callerMaxAgeMs: number;
  /** How long a stream trusts that no notification was lost. */
  readonly slowTimerMs: number;
  readonly callsPerMinutePerSession: number;
  /** Also counts what is done with a session, so it has to be enough for an office behind one address. */
  readonly callsPerMinutePerAddress: number;
  /** From a connection's first byte to the end of its headers, and of its request. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Of a session of the database: one statement, its wait for a lock, a transaction that does nothing. */
  readonly statementMs: number;
  readonly lockMs: number;
  readonly idleInTransactionMs: number;
  /** How long the database may be silent; longer than it allows a statement. */
  readonly databaseAnswerMs: number;
  /** Who may wait for a connection of the database, and for how long. */
  readonly waitingForDatabase: number;
  readonly databaseWaitMs: number;
  /** How long requests may take to finish once the server was told to stop. */
  readonly drainMs: number;
}

const kib = 1_024;

export const usualLimits: ServerLimits = {
  bodyBytes: 256 * kib,
  batchCalls: 10,
  frameBytes: 64 * kib,
  badFrames: 5,
  connectionParamsMs: 5_000,
  socketsPerSession: 20,
  socketsPerAddress: 500,
  subscriptionsPerSocket: 50,
  streamsPerSession: 100,
  logsPerOrganization: 10,
  bufferedBytes: 1_024 * kib,
  callerMaxAgeMs: 5_000,
  slowTimerMs: 15_000,
  callsPerMinutePerSession: 1_200,
  callsPerMinutePerAddress: 6_000,
  headersMs: 10_000,
  requestMs: 30_000,
  statementMs: 4_000,
  lockMs: 2_000,
  idleInTransactionMs: 15_000,
  databaseAnswerMs: 5_000,
  waitingForDatabase: 200,
  databaseWaitMs: 3_000,
  drainMs: 8_000,
};

/** Counts what is open by whom. Null when there are `max` of this key already; otherwise a function that gives it back, once. */
export function createSlots(max: number): (key: string) => (() => void) | null {
  const taken = new Map<string, number>();
  return (key) => {
    const count = taken.get(key) ?? 0;
    if (count >= max) return null;
    taken.set(key, count + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (taken.get(key) ?? 1) - 1;
      if (left === 0) taken.delete(key);
      else taken.set(key, left);
    };
  };
}
