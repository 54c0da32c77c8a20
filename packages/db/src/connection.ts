import postgres, { type Sql, type TransactionSql } from "postgres";

/** One session with PostgreSQL, for one caller at a time. */
export interface Connection {
  readonly client: Sql;
  /** It broke, or was silent for too long: nothing may be sent on it any more. */
  isBroken: boolean;
}

export type StatementText = Parameters<Sql["unsafe"]>;

/** Opens nothing yet: the first statement does. */
export function createConnection(options: Sql["options"]): Connection {
  const connection: Connection = {
    client: postgres(asOptions(options, () => drop(connection))),
    isBroken: false,
  };
  return connection;
}

/** What has no answer yet is refused. The driver itself would let a statement wait for ever that was sent while the socket broke. */
export function drop(connection: Connection): void {
  connection.isBroken = true;
  void connection.client.end({ timeout: 0 });
}

/** Sends one statement on a connection, or in a transaction of it, and drops the connection when no answer comes. */
export async function send(
  connection: Connection,
  on: Sql | TransactionSql,
  text: StatementText,
  how: { readonly asRows: boolean; readonly answerMs: number },
): Promise<unknown> {
  if (connection.isBroken) throw lostError("The connection of this transaction was lost.");
  const deadline = startDeadline(connection, how.answerMs);
  try {
    const query = on.unsafe(...text);
    return await (how.asRows ? query.values() : query);
  } catch (error) {
    if (!leavesConnection(error)) drop(connection);
    throw deadline.hasPassed() ? lostError("PostgreSQL did not answer in time.", error) : error;
  } finally {
    deadline.stop();
  }
}

/** Runs `work` in a transaction. Rejects as soon as the connection is lost, whatever `work` does then. */
export async function transact<T>(
  connection: Connection,
  work: (sql: TransactionSql) => Promise<T>,
  answerMs: number,
): Promise<T> {
  const outcome = Promise.withResolvers<T>();
  let failure: unknown = null;
  // Of BEGIN, and of the connection that it may have to open; then of COMMIT or ROLLBACK.
  let deadline = startDeadline(connection, answerMs);
  const shield = <R>(step: (sql: TransactionSql) => Promise<R>) => {
    return async (sql: TransactionSql): Promise<R> => {
      try {
        return await step(guard(connection, sql, answerMs, shield));
      } catch (error) {
        failure = error;
        if (!connection.isBroken) throw error;
        // The driver would roll back on a socket that is gone, and throw where nobody can catch it. So it never hears of this.
        outcome.reject(error);
        return await new Promise<never>(() => undefined);
      }
    };
  };
  const whole = shield(async (sql) => {
    deadline.stop();
    try {
      return await work(sql);
    } finally {
      deadline = startDeadline(connection, answerMs);
    }
  });
  connection.client.begin(whole).then(
    (value) => outcome.resolve(value as T),
    (error: unknown) => {
      if (error !== failure && !leavesConnection(error)) drop(connection);
      outcome.reject(deadline.hasPassed() ? lostError("PostgreSQL did not answer in time.", error) : error);
    },
  );
  try {
    return await outcome.promise;
  } finally {
    deadline.stop();
  }
}

type Shield = <R>(step: (sql: TransactionSql) => Promise<R>) => (sql: TransactionSql) => Promise<R>;

/** What Drizzle uses of a transaction. */
function guard(connection: Connection, sql: TransactionSql, answerMs: number, shield: Shield): TransactionSql {
  const guarded = {
    unsafe: (...text: StatementText) => prepared((asRows) => send(connection, sql, text, { asRows, answerMs })),
    savepoint: <T>(work: (inner: TransactionSql) => Promise<T>) => sql.savepoint(shield(work)),
  };
  return guarded as unknown as TransactionSql;
}

/** Sent in the next microtask, as by the driver itself, so that the caller can still say how it wants the rows. */
export function prepared(
  start: (asRows: boolean) => Promise<unknown>,
): Promise<unknown> & { values(): Promise<unknown> } {
  let asRows = false;
  const answer = Promise.resolve().then(() => start(asRows));
  return Object.assign(answer, {
    values() {
      asRows = true;
      return answer;
    },
  });
}

interface Deadline {
  stop(): void;
  hasPassed(): boolean;
}

function startDeadline(connection: Connection, ms: number): Deadline {
  let hasStopped = false;
  let hasPassed = false;
  const pass = (): void => {
    if (hasStopped) return;
    hasPassed = true;
    drop(connection);
  };
  // A process that was busy for so long first reads what has come meanwhile.
  const timer = setTimeout(() => setImmediate(pass), ms);
  return {
    stop() {
      hasStopped = true;
      clearTimeout(timer);
    },
    hasPassed: () => hasPassed,
  };
}

/** True for PostgreSQL's refusals, after which it goes on listening; anything else says that the connection is of no use. */
function leavesConnection(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.severity === "ERROR";
}

export function lostError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: "CONNECTION_CLOSED" });
}

/** Parsed options are taken as they are, so that all connections share the parsers, which Drizzle changes. */
function asOptions(options: Sql["options"], onclose: () => void): postgres.Options<Record<string, never>> {
  return { ...options, onclose } as unknown as postgres.Options<Record<string, never>>;
}
