import { BlueprintError, formatIssue } from "@sewa/blueprint";
import { ConfigurationError, DomainError } from "@sewa/core";
import { databaseErrorOf, MigrationError } from "@sewa/db";
import { TRPCClientError } from "@trpc/client";
import { CommanderError } from "commander";

export const exitCodes = { ok: 0, refused: 1, usage: 2, findings: 3, unreachable: 69, configuration: 78 } as const;

/** A refusal of the command itself: one sentence for the person who typed it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** What was typed makes no sense; ends like a wrong option. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Failure {
  readonly exitCode: number;
  /** For people, on standard error. Empty when it was said already. */
  readonly message: string;
}

const unreachableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** What to say and with which code to end. A failed query is never shown: it holds its parameters. */
export function describeFailure(error: unknown): Failure {
  // Commander has written its own message; asking for help is no failure.
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, message: "" };
  }
  if (error instanceof UsageError) return { exitCode: exitCodes.usage, message: error.message };
  if (error instanceof ConfigurationError) return { exitCode: exitCodes.configuration, message: error.message };
  if (error instanceof Refusal || error instanceof MigrationError) return refused(error.message);
  if (error instanceof BlueprintError) return refused(error.issues.map((issue) => formatIssue(issue)).join("\n"));
  if (error instanceof DomainError) return refused(withIssues(error.message, error.code, error.issues));
  if (error instanceof TRPCClientError) return describeAnswer(error);
  if (isUnreachable(error)) return { exitCode: exitCodes.unreachable, message: "The database cannot be reached." };
  const database = databaseErrorOf(error);
  if (database !== null) return refused(`The database refused with ${database.code}.${hintFor(database.code)}`);
  return refused(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

interface AnswerData {
  readonly appCode?: string;
  readonly requestId?: string | null;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

function describeAnswer(error: { readonly message: string; readonly data?: unknown }): Failure {
  // Only the server says data; without any, nobody answered as the api does.
  if (error.data === null || error.data === undefined) {
    return { exitCode: exitCodes.unreachable, message: "The api cannot be reached at SEWA_API_URL." };
  }
  const { appCode = "ERROR", requestId, issues = [] } = error.data as AnswerData;
  const hint = appCode === "UNAUTHORIZED" ? " Run `sewa login EMAIL`." : "";
  const trace = requestId ? ` (request ${requestId})` : "";
  return refused(withIssues(`${error.message}${hint}${trace}`, appCode, issues));
}

function withIssues(
  message: string,
  code: string,
  issues: readonly { readonly path: string; readonly message: string }[],
): string {
  return [`${code}: ${message}`, ...issues.map((issue) => `  ${issue.path}: ${issue.message}`)].join("\n");
}

function refused(message: string): Failure {
  return { exitCode: exitCodes.refused, message };
}

function hintFor(code: string): string {
  if (code === "42P01" || code === "3F000") return " Is it migrated? Run `sewa db migrate`.";
  return code === "28P01" || code === "28000" ? " Check the user and password in DATABASE_URL." : "";
}

function isUnreachable(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if ("code" in current && unreachableCodes.has(String(current.code))) return true;
    if (current instanceof AggregateError && current.errors.some(isUnreachable)) return true;
    current = current.cause;
  }
  return false;
}
