import { AsyncLocalStorage } from "node:async_hooks";
import { redactFields } from "@sewa/core";
import { databaseErrorOf } from "@sewa/db";
import { Logger as GraphileLogger } from "graphile-worker";
import { type DestinationStream, pino, type Logger } from "pino";

export type { Logger } from "pino";

/** Stands in every log line that is written while the job runs. */
export interface CurrentJob {
  readonly task: string;
  readonly jobId: string;
  readonly attempt: number;
  /** Of the request that it goes back to; absent while none is known. */
  requestId?: string;
}

/** The job that the current work belongs to. */
export const currentJob = new AsyncLocalStorage<CurrentJob>();

/** JSON lines on standard output. `level` as pino names them, `silent` for none. An error goes in as `err`, as it was thrown. */
export function createLog(options: { readonly level: string }, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: { process: "worker" },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => ({ ...currentJob.getStore() }),
      formatters: {
        log: (fields) => redactFields("err" in fields ? { ...fields, err: describeError(fields["err"]) } : fields),
      },
    },
    destination ?? pino.destination(1),
  );
}

/** What may be written about an error: a failed query's own message holds the statement with its parameters. */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const database = databaseErrorOf(error);
  if (database !== null) {
    return { type: "DatabaseError", code: database.code, constraint: database.constraint, stack: framesOf(error) };
  }
  if (failedQueryOf(error) !== null)
    return { type: error.name, message: readableMessage(error), stack: framesOf(error) };
  return { type: error.name, message: error.message, stack: error.stack };
}

/** One sentence for a job row or a person, under the same rule. */
export function readableMessage(error: unknown): string {
  const database = databaseErrorOf(error);
  if (database !== null) {
    const constraint = database.constraint === null ? "" : ` (${database.constraint})`;
    return `The database refused with ${database.code}${constraint}.`;
  }
  const query = failedQueryOf(error);
  if (query !== null) {
    return `The database did not answer: ${query.cause instanceof Error ? query.cause.message : "unknown reason"}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** graphile-worker's own lines in ours. Successes are told by metrics, so its "info" is our "debug". */
export function graphileLogger(log: Logger): GraphileLogger {
  return new GraphileLogger((scope) => (level, message, meta) => {
    const fields = { ...scope, ...("error" in (meta ?? {}) ? { err: meta?.["error"] } : {}) };
    // A failed job is logged by its task, with what may be said about the error.
    if (meta?.["failure"] === true) return;
    if (level === "error") log.error(fields, message);
    else if (level === "warning") log.warn(fields, message);
    else log.debug(fields, message);
  });
}

const maxCauses = 8;

/** The error itself or what it goes back to: who wraps one may have taken over its words. */
function failedQueryOf(error: unknown): Error | null {
  let current = error;
  for (let depth = 0; depth < maxCauses && current instanceof Error; depth += 1) {
    if ("query" in current && "params" in current) return current;
    current = current.cause;
  }
  return null;
}

/** Where it happened, without the message that stands above it. */
function framesOf(error: Error): string {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
