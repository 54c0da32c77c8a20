/** What PostgreSQL said: its five-letter code and the constraint, if one was hurt. */
export interface DatabaseError {
  readonly code: string;
  readonly constraint: string | null;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
const MAX_CAUSES = 8;

/**
 * Finds PostgreSQL's own error in what a query threw: Drizzle wraps it as a cause, postgres.js calls the constraint
 * `constraint_name` and pg calls it `constraint`. Null when the error is not PostgreSQL's (a lost connection, a bug of ours).
 */
export function databaseErrorOf(error: unknown): DatabaseError | null {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    // Both drivers set `severity` on errors of the server only; codes of sockets such as EPIPE have five letters too.
    if ("code" in current && "severity" in current && typeof current.code === "string" && SQLSTATE.test(current.code)) {
      return { code: current.code, constraint: constraintOf(current) };
    }
    current = current.cause;
  }
  return null;
}

function constraintOf(error: Error): string | null {
  if ("constraint_name" in error && typeof error.constraint_name === "string") return error.constraint_name;
  if ("constraint" in error && typeof error.constraint === "string") return error.constraint;
  return null;
}
