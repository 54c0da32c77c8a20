import postgres, { type Sql, type TransactionSql } from "postgres";
import {
  type Connection,
  createConnection,
  drop,
  lostError,
  prepared,
  send,
  type StatementText,
  transact,
} from "./connection.ts";

export interface PoolLimits {
  /** Connections at most. */
  readonly max: number;
  /** How many may wait for one, and for how long. */
  readonly maxWaiting: number;
  readonly waitMs: number;
  /** How long PostgreSQL may be silent about one statement before its connection is dropped. */
  readonly answerMs: number;
}

/** Every connection is taken, and too many wait already or this one has waited too long. Nothing was sent. */
export class PoolExhaustedError extends Error {
  override readonly name = "PoolExhaustedError";
  readonly code = "POOL_EXHAUSTED";
}

export interface Pool {
  /** What Drizzle needs of a client, and no more. */
  readonly client: Sql;
  /** Waits so long for what runs, then ends all connections. */
  close(timeoutSeconds: number): Promise<void>;
}

interface Waiter {
  take(connection: Connection): void;
  refuse(error: Error): void;
}

/**
 * Connections of postgres.js, each a client of its own. The driver's own pool lets any number wait for ever, cannot give up the
 * one connection that is silent, and goes on with one that broke in a transaction, which from then on never answers.
 */
export function createPool(url: string, options: postgres.Options<Record<string, never>>, limits: PoolLimits): Pool {
  const { max, maxWaiting, waitMs, answerMs } = limits;
  const template = postgres(url, options); // Its options are parsed, and it never connects.
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting = new Set<Waiter>();
  let isClosed = false;

  const make = (): Connection => {
    const connection = createConnection(template.options);
    open.add(connection);
    return connection;
  };
  const discard = (connection: Connection): void => {
    open.delete(connection);
    drop(connection);
  };
  const acquire = (): Connection | Promise<Connection> => {
    if (isClosed) throw lostError("The database was closed.");
    for (let found = idle.pop(); found !== undefined; found = idle.pop()) {
      if (!found.isBroken) return found;
      discard(found);
    }
    if (open.size < max) return make();
    if (waiting.size >= maxWaiting) throw new PoolExhaustedError("Too many wait for a connection.");
    return queue(waiting, waitMs);
  };
  const release = (connection: Connection): void => {
    if (isClosed) return;
    if (connection.isBroken) discard(connection);
    const [next] = waiting;
    if (next !== undefined) next.take(connection.isBroken ? make() : connection);
    else if (!connection.isBroken) idle.push(connection);
  };
  const using = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await acquire();
    try {
      return await work(connection);
    } finally {
      release(connection);
    }
  };
  const client = {
    options: template.options,
    unsafe: (...text: StatementText) =>
      prepared((asRows) => using((connection) => send(connection, text, { asRows, answerMs }))),
    begin: <T>(work: (sql: TransactionSql) => Promise<T>) =>
      using((connection) => transact(connection, work, answerMs)),
  };
  return {
    client: client as unknown as Sql,
    async close(timeoutSeconds) {
      isClosed = true;
      for (const waiter of waiting) waiter.refuse(lostError("The database was closed."));
      await Promise.all([...open].map((connection) => connection.client.end({ timeout: timeoutSeconds })));
    },
  };
}

/** First come, first served. */
function queue(waiting: Set<Waiter>, waitMs: number): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const leave = (): void => {
    clearTimeout(timer);
    waiting.delete(waiter);
  };
  const waiter: Waiter = {
    take(connection) {
      leave();
      resolve(connection);
    },
    refuse(error) {
      leave();
      reject(error);
    },
  };
  const timer = setTimeout(() => waiter.refuse(new PoolExhaustedError("No connection came free in time.")), waitMs);
  waiting.add(waiter);
  return promise;
}
