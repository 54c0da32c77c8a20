import postgres, { type Sql, type TransactionSql } from "postgres";

/** One session with PostgreSQL, for one caller at a time. */
export interface Connection {
  readonly client: Sql;
  /** It broke, or was silent for too long: nothing may be sent on it any more. */
  isBroken: boolean;
  /** Told once, by whom a transaction is under way. */
  onDrop: ((why: unknown) => void) | null;
  /** Texts of the statements that PostgreSQL keeps ready here. */
  readonly ready: Set<string>;
}

/** PostgreSQL keeps each for as long as the connection lives, at some ten kilobytes. */
const maxReady = 500;
/** Lists have a text for each of their lengths: those of long ones hardly come again. */
const maxReadyParameters = 64;

const silence = "PostgreSQL did not answer in time.";

export type StatementText = Parameters<Sql["unsafe"]>;

/** Opens nothing yet: the first statement does. */
export function createConnection(options: Sql["options"]): Connection {
  const connection: Connection = {
    client: postgres(asOptions(options, () => drop(connection))),
    isBroken: false,
    onDrop: null,
    ready: new Set(),
  };
  return connection;
}

/** What has no answer yet is refused. The driver itself would let a statement wait for ever that was sent while the socket broke. */
export function drop(
  connection: Connection,
  why: unknown = lostError("The connection of this transaction was lost."),
): void {
  connection.isBroken = true;
  connection.onDrop?.(why);
  void connection.client.end({ timeout: 0 });
}

/** Sends one statement on a connection, and drops the connection when no answer comes. */
export async function send(
  connection: Connection,
  text: StatementText,
  how: { readonly asRows: boolean; readonly answerMs: number },
): Promise<unknown> {
  if (connection.isBroken) throw lostError("The connection of this transaction was lost.");
  const deadline = startDeadline(connection, how.answerMs);
  try {
    const [statement, parameters = []] = text;
    const query = connection.client.unsafe(statement, parameters, { prepare: isKeptReady(connection, text) });
    return await (how.asRows ? query.values() : query);
  } catch (error) {
    const failure = deadline.hasPassed() ? lostError(silence, error) : error;
    if (!leavesConnection(error)) drop(connection, failure);
    throw failure;
  } finally {
    deadline.stop();
  }
}

/**
 * Whether the statement is parsed once for the connection and not each time, which is most of what a small one costs; it is then
 * sent and answered in one round trip. What has no parameters may be several statements, and is sent as it is.
 */
function isKeptReady({ ready }: Connection, [statement, parameters = []]: StatementText): boolean {
  if (parameters.length === 0 || parameters.length > maxReadyParameters) return false;
  if (ready.size < maxReady) ready.add(statement);
  return ready.has(statement);
}

/**
 * Runs `work` in a transaction, which begins with its first statement: one without parameters travels together with BEGIN. Rejects
 * as soon as the connection is lost, whatever `work` does then. A statement that failed fails the transaction, also where `work` goes on.
 */
export async function transact<T>(
  connection: Connection,
  work: (sql: TransactionSql) => Promise<T>,
  answerMs: number,
): Promise<T> {
  const lost = Promise.withResolvers<never>();
  connection.onDrop = lost.reject;
  const session = openSession(connection, answerMs);
  const run = async (): Promise<T> => {
    const value = await inScope(session, work, "rollback");
    await session.close("commit");
    return value;
  };
  try {
    return await Promise.race([run(), lost.promise]);
  } finally {
    connection.onDrop = null;
  }
}

interface Session {
  ask(text: StatementText, asRows: boolean): Promise<unknown>;
  /** The last statement; nothing is sent where there was none before. */
  close(text: "commit" | "rollback"): Promise<void>;
  /** No name is used twice. */
  savepoint(): string;
}

function openSession(connection: Connection, answerMs: number): Session {
  let opening: Promise<unknown> | null = null;
  let isClosed = false;
  let savepoints = 0;
  const say = (text: StatementText, asRows: boolean): Promise<unknown> => send(connection, text, { asRows, answerMs });
  return {
    async ask(text, asRows) {
      // Somebody else may be using the connection by now.
      if (isClosed) throw new Error("The transaction has ended.");
      const [query, parameters = []] = text;
      if (opening === null && parameters.length === 0) {
        opening = say([`begin;${query}`], asRows);
        return lastOf(await opening);
      }
      opening ??= say(["begin"], false);
      await opening;
      return lastOf(await say(text, asRows));
    },
    async close(text) {
      isClosed = true;
      if (opening !== null) await say([text], false);
    },
    savepoint: () => `s${(savepoints += 1)}`,
  };
}

/** Of several statements in one text the driver answers all results; the last one is that of the caller. */
function lastOf(answer: unknown): unknown {
  return Array.isArray(answer) && !("command" in answer) ? answer.at(-1) : answer;
}

/** The whole transaction, or one savepoint of it: when `work` or one of its statements fails, all of the scope is undone. */
async function inScope<T>(
  session: Session,
  work: (sql: TransactionSql) => Promise<T>,
  undo: "rollback" | `rollback to ${string}`,
): Promise<T> {
  const failures: unknown[] = [];
  try {
    const value = await work(guard(session, failures));
    if (failures.length > 0) throw failures[0];
    return value;
  } catch (error) {
    // What cannot be undone any more is undone by PostgreSQL, when the connection ends.
    await (undo === "rollback" ? session.close(undo) : session.ask([undo], false)).catch(() => undefined);
    throw error;
  }
}

/** What Drizzle uses of a transaction. */
function guard(session: Session, failures: unknown[]): TransactionSql {
  const guarded = {
    unsafe: (...text: StatementText) =>
      prepared((asRows) =>
        session.ask(text, asRows).catch((error: unknown) => {
          failures.push(error);
          throw error;
        }),
      ),
    async savepoint<T>(work: (inner: TransactionSql) => Promise<T>): Promise<T> {
      const name = session.savepoint();
      await session.ask([`savepoint ${name}`], false);
      return inScope(session, work, `rollback to ${name}`);
    },
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
    drop(connection, lostError(silence));
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
