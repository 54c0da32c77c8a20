import { AsyncLocalStorage } from "node:async_hooks";
import { redactFields } from "@sewa/core";
import { databaseErrorOf } from "@sewa/db";
import { pino, type DestinationStream, type Logger } from "pino";

export type { Logger } from "pino";

/** The request that the current work belongs to; every log line of it carries the id. */
export const currentRequest = new AsyncLocalStorage<{ readonly requestId: string }>();

/** JSON lines. `level` as pino names them, `silent` for none. */
export function createServerLog(options: { readonly level: string }, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: { process: "server" },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => ({ ...currentRequest.getStore() }),
      formatters: {
        log: (fields) => redactFields("err" in fields ? { ...fields, err: describeFailure(fields["err"]) } : fields),
      },
    },
    destination ?? pino.destination(1),
  );
}

/** What may be written about an error: a failed query's own message holds the statement with its parameters. */
export function describeFailure(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const database = databaseErrorOf(error);
  const stack = framesOf(error);
  if (database !== null) return { type: "DatabaseError", code: database.code, constraint: database.constraint, stack };
  const root = rootOf(error);
  if ("query" in root || "query" in error) return { type: error.name, message: "A query failed.", stack };
  return { type: error.name, message: error.message, cause: root === error ? undefined : root.message, stack };
}

const maxCauses = 8;

function rootOf(error: Error): Error {
  let root = error;
  for (let depth = 0; depth < maxCauses && root.cause instanceof Error; depth += 1) {
    if ("query" in root) return root;
    root = root.cause;
  }
  return root;
}

/** Where it happened, without the message that stands above it. */
function framesOf(error: Error): string {
  const deepest = rootOf(error);
  return (deepest.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
