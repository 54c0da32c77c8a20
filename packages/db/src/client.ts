import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";
import type { Role } from "./migrate/roles.ts";
import { createPool } from "./pool.ts";
import * as schema from "./schema/index.ts";

export interface ConnectOptions {
  readonly url: string;
  /** Taken on by every session: the connecting user has to be a member, which the migrator sees to. */
  readonly role: Role;
  /** Connections at most; 10 by default. Each `listen` uses one more. */
  readonly max?: number;
  readonly applicationName?: string;
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  readonly idleInTransactionTimeoutMs?: number;
  /**
   * How long PostgreSQL may be silent about one statement before its connection is given up, 65 s by default: longer than
   * the statement's own time-out, which a server that is frozen or cut off does not keep.
   */
  readonly answerTimeoutMs?: number;
  /** How many may wait for a connection, 200 by default, and for how long, 30 s by default; then a `PoolExhaustedError`. */
  readonly maxWaiting?: number;
  readonly waitTimeoutMs?: number;
}

export interface Database extends AsyncDisposable {
  /** Drizzle over connections of postgres.js; the schema is @sewa/db/schema. */
  readonly drizzle: PostgresJsDatabase<typeof schema>;
  /**
   * On a connection of its own; calls back with the payload. `onListen` fires on each (re)connect, so that the caller can read again what
   * it missed in between: notifications sent while the connection is away are lost.
   */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onListen?: () => void,
  ): Promise<{ close(): Promise<void> }>;
  /** One round trip; throws when the database cannot be reached. */
  ping(): Promise<void>;
  /** Milliseconds since 1970, by the clock of the database's machine. */
  nowMs(): Promise<number>;
  /** Waits up to five seconds for running queries, then ends all connections. */
  close(): Promise<void>;
}

/** What `database.drizzle.transaction` hands to its callback. */
export type Transaction = Parameters<Parameters<PostgresJsDatabase<typeof schema>["transaction"]>[0]>[0];

const DEFAULT_MAX = 10;
const DEFAULT_ANSWER_MS = 65_000;
const DEFAULT_MAX_WAITING = 200;
const DEFAULT_WAIT_MS = 30_000;
const CONNECT_TIMEOUT_S = 10;
const CLOSE_TIMEOUT_S = 5;
const LONGEST_BACKOFF_S = 2;

/** Opens nothing yet: the first query connects, and a lost connection is made anew by the next query. */
export function connectDatabase(options: ConnectOptions): Database {
  const pool = createPool(options.url, clientOptions(options), {
    max: options.max ?? DEFAULT_MAX,
    maxWaiting: options.maxWaiting ?? DEFAULT_MAX_WAITING,
    waitMs: options.waitTimeoutMs ?? DEFAULT_WAIT_MS,
    answerMs: options.answerTimeoutMs ?? DEFAULT_ANSWER_MS,
  });
  const listeners = new Set<Sql>();
  const close = async (): Promise<void> => {
    const ended = [...listeners].map((sql) => sql.end({ timeout: CLOSE_TIMEOUT_S }));
    await Promise.all([pool.close(CLOSE_TIMEOUT_S), ...ended]);
  };
  return {
    drizzle: drizzle(pool.client, { schema, casing: "snake_case" }),
    async listen(channel, onNotify, onListen) {
      // A client each: postgres.js forgets after a reconnect which callback an unlisten was for, and an ended client is silent.
      const listener = postgres(options.url, clientOptions(options));
      listeners.add(listener);
      const end = async (): Promise<void> => {
        listeners.delete(listener);
        await listener.end({ timeout: CLOSE_TIMEOUT_S });
      };
      try {
        await listener.listen(channel, onNotify, onListen);
      } catch (error) {
        await end();
        throw error;
      }
      return { close: end };
    },
    async ping() {
      await pool.client.unsafe("select 1");
    },
    async nowMs() {
      const [row] = await pool.client.unsafe<{ ms: string }[]>(
        "select (extract(epoch from clock_timestamp()) * 1000)::text as ms",
      );
      return Number(row?.ms);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function clientOptions(options: ConnectOptions): postgres.Options<Record<string, never>> {
  // Sent in the startup message, so that no session exists without them, not even after a reconnect.
  const connection: Record<string, string | number> = {
    role: options.role,
    application_name: options.applicationName ?? "sewa",
    // Goes before what anybody has set for the user, the role or the database.
    timezone: "UTC",
  };
  if (options.statementTimeoutMs !== undefined) connection["statement_timeout"] = options.statementTimeoutMs;
  if (options.lockTimeoutMs !== undefined) connection["lock_timeout"] = options.lockTimeoutMs;
  if (options.idleInTransactionTimeoutMs !== undefined) {
    connection["idle_in_transaction_session_timeout"] = options.idleInTransactionTimeoutMs;
  }
  return {
    max: 1,
    connect_timeout: CONNECT_TIMEOUT_S,
    // The driver ends a process whose connection is lost while it looks up the array types; nobody binds arrays here.
    fetch_types: false,
    max_lifetime: null,
    backoff,
    connection,
    onnotice: () => undefined,
  };
}

/** Seconds before the next try to connect, with jitter. The driver's own pauses grow to 20 s: too long for status that people watch. */
function backoff(retries: number): number {
  return (0.5 + Math.random() / 2) * Math.min(2 ** retries / 20, LONGEST_BACKOFF_S);
}
