import { DomainError, type DomainErrorCode } from "@sewa/core";
import { TRPCError, type TRPC_ERROR_CODE_KEY } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { z } from "zod";
import type { AppErrorCode, AppErrorIssue, AppErrorShape } from "./app-errors.ts";

/** A new code of core does not compile until it has a line here and a place in `AppErrorCode`. */
const domainCodes = {
  NOT_FOUND: "NOT_FOUND",
  FORBIDDEN: "FORBIDDEN",
  UNAUTHORIZED: "UNAUTHORIZED",
  INVALID_CREDENTIALS: "UNAUTHORIZED",
  TOTP_REQUIRED: "FORBIDDEN",
  PASSWORD_EXPIRED: "FORBIDDEN",
  CONFIRMATION_REQUIRED: "FORBIDDEN",
  TOKEN_INVALID: "BAD_REQUEST",
  TOKEN_SCOPE: "FORBIDDEN",
  NOT_WHILE_IMPERSONATING: "FORBIDDEN",
  EMAIL_NOT_VERIFIED: "FORBIDDEN",
  ACCOUNT_SUSPENDED: "FORBIDDEN",
  ACCOUNT_PARKED: "CONFLICT",
  DELETION_BLOCKED: "CONFLICT",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  INVALID_INPUT: "BAD_REQUEST",
  CONFLICT: "CONFLICT",
  LAST_OWNER: "CONFLICT",
  LAST_WAY_IN: "CONFLICT",
  ACCOUNT_EXISTS: "CONFLICT",
  IDENTITY_TAKEN: "CONFLICT",
  WRONG_ACCOUNT: "FORBIDDEN",
  IN_PROGRESS: "CONFLICT",
  IDEMPOTENCY_KEY_REUSED: "CONFLICT",
  INVALID_TRANSITION: "CONFLICT",
  OPERATION_IN_PROGRESS: "CONFLICT",
  NAME_MISMATCH: "BAD_REQUEST",
  ALREADY_RENEWED: "CONFLICT",
  PLAN_UNAVAILABLE: "CONFLICT",
  NO_PRICE: "CONFLICT",
  PRICE_CHANGED: "CONFLICT",
  TRIAL_USED: "CONFLICT",
  FREE_PLAN_USED: "CONFLICT",
  DISPOSABLE_ADDRESS: "FORBIDDEN",
  PLAN_STALE: "CONFLICT",
  CAPACITY: "CONFLICT",
  QUOTA_EXCEEDED: "FORBIDDEN",
  PAYMENT_REQUIRED: "PAYMENT_REQUIRED",
  PAYMENT_IN_PROGRESS: "CONFLICT",
  PAYMENT_UNAVAILABLE: "CONFLICT",
  INSUFFICIENT_FUNDS: "PAYMENT_REQUIRED",
  CURRENCY: "CONFLICT",
  REFUND: "CONFLICT",
  BLUEPRINT_INVALID: "UNPROCESSABLE_CONTENT",
  LOGS_UNAVAILABLE: "CONFLICT",
  SPENDING_CAPPED: "CONFLICT",
  TEST_CLOCK_REQUIRED: "PRECONDITION_FAILED",
} as const satisfies Record<DomainErrorCode, TRPC_ERROR_CODE_KEY>;

/** What tRPC itself refuses, in our words: its own may quote the request or a parser. */
const transportRefusals = {
  PARSE_ERROR: { appCode: "BAD_JSON", message: "The request is not valid JSON." },
  BAD_REQUEST: { appCode: "BAD_REQUEST", message: "Bad request." },
  NOT_FOUND: { appCode: "UNKNOWN_PROCEDURE", message: "No such procedure." },
  METHOD_NOT_SUPPORTED: {
    appCode: "METHOD_NOT_SUPPORTED",
    message: "Queries are read with GET, mutations are sent with POST.",
  },
  UNSUPPORTED_MEDIA_TYPE: { appCode: "UNSUPPORTED_MEDIA_TYPE", message: "Send application/json." },
  PAYLOAD_TOO_LARGE: { appCode: "PAYLOAD_TOO_LARGE", message: "The request is too large." },
  UNAUTHORIZED: { appCode: "UNAUTHORIZED", message: "Log in first." },
  FORBIDDEN: { appCode: "FORBIDDEN", message: "You may not do this." },
  TOO_MANY_REQUESTS: { appCode: "RATE_LIMITED", message: "Too many requests." },
  SERVICE_UNAVAILABLE: { appCode: "UNAVAILABLE", message: "Not available at the moment. Try again." },
} as const satisfies Partial<Record<TRPC_ERROR_CODE_KEY, { appCode: AppErrorCode; message: string }>>;

export interface Refusal {
  readonly code: TRPC_ERROR_CODE_KEY;
  readonly appCode: AppErrorCode;
  readonly message: string;
  readonly issues: readonly AppErrorIssue[];
  readonly retryAfterSeconds: number | null;
}

const maxIssues = 20;
const maxText = 200;
/** No procedure of ours has a longer one. */
const maxPathCharacters = 100;
const unavailableRetrySeconds = 2;

/** What may be said about an error, and nothing else. The one place where errors of core become errors of the contract. */
export function describeError(error: unknown): Refusal {
  const trpc = error instanceof TRPCError ? error : new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: error });
  const { cause } = trpc;
  if (cause instanceof DomainError) return fromDomain(cause);
  if (trpc.code === "SERVICE_UNAVAILABLE") return unavailable();
  if (trpc.code === "INTERNAL_SERVER_ERROR") return fromDatabase(cause);
  if (cause instanceof z.ZodError && trpc.code === "BAD_REQUEST") return invalidInput(cause);
  const known = (transportRefusals as Readonly<Partial<Record<string, { appCode: AppErrorCode; message: string }>>>)[
    trpc.code
  ];
  if (known === undefined) return internal();
  const isJson = trpc.code === "BAD_REQUEST" && cause !== undefined;
  return { code: trpc.code, ...(isJson ? transportRefusals.PARSE_ERROR : known), issues: [], retryAfterSeconds: null };
}

/** The envelope's `error` for a refusal, as clients get it. */
export function toErrorShape(
  refusal: Refusal,
  where: { readonly path: string | null; readonly requestId: string | null },
): AppErrorShape {
  const { code, appCode, message, issues, retryAfterSeconds } = refusal;
  return {
    code: TRPC_ERROR_CODES_BY_KEY[code],
    message,
    data: {
      code,
      httpStatus: getHTTPStatusCodeFromError(new TRPCError({ code })),
      path: where.path?.slice(0, maxPathCharacters) ?? null,
      appCode,
      requestId: where.requestId,
      issues,
      retryAfterSeconds,
    },
  };
}

/** A refusal of the transport, for what never reaches a procedure. */
export function transportRefusal(code: TRPC_ERROR_CODE_KEY, appCode: AppErrorCode, message: string): Refusal {
  return { code, appCode, message, issues: [], retryAfterSeconds: null };
}

/** Of a call that failed: the code by which the caller's middleware sees it. */
export function toTrpcError(error: TRPCError): TRPCError {
  const { code, message } = describeError(error);
  return error.code === code ? error : new TRPCError({ code, message, cause: error.cause });
}

function fromDomain(error: DomainError): Refusal {
  return {
    code: domainCodes[error.code],
    appCode: error.code,
    message: error.message,
    issues: error.issues.slice(0, maxIssues),
    retryAfterSeconds: error.retryAfterSeconds,
  };
}

function invalidInput(error: z.ZodError): Refusal {
  const issues = error.issues.slice(0, maxIssues).map(({ path, message }) => ({
    path: path.map(String).join(".").slice(0, maxText),
    message: message.slice(0, maxText),
  }));
  return { code: "BAD_REQUEST", appCode: "INVALID_INPUT", message: "Invalid input.", issues, retryAfterSeconds: null };
}

function unavailable(): Refusal {
  return {
    code: "SERVICE_UNAVAILABLE",
    ...transportRefusals.SERVICE_UNAVAILABLE,
    issues: [],
    retryAfterSeconds: unavailableRetrySeconds,
  };
}

function overloaded(): Refusal {
  return { ...unavailable(), appCode: "OVERLOADED", message: "Too much to do at the moment. Try again." };
}

function internal(): Refusal {
  return {
    code: "INTERNAL_SERVER_ERROR",
    appCode: "INTERNAL",
    message: "Internal server error",
    issues: [],
    retryAfterSeconds: null,
  };
}

// Lost or refused connections of the database's driver, and PostgreSQL's own words: going down or coming up; a lock or a
// statement that took too long; no connection, disk or memory left; read-only, because another server has taken over.
const unavailableCodes = new Set(
  [
    "ECONNREFUSED ECONNRESET ENOTFOUND ETIMEDOUT EPIPE EHOSTUNREACH",
    "CONNECTION_CLOSED CONNECTION_ENDED CONNECTION_DESTROYED CONNECT_TIMEOUT",
    "57P01 57P02 57P03 57014 55P03 40001 40P01 25P03",
    "53000 53100 53200 53300 25006",
  ].flatMap((line) => line.split(" ")),
);
const maxCauses = 8;

/** An error that core did not foresee: the database is away or has too much to do, or it is a defect. */
function fromDatabase(error: unknown): Refusal {
  let current = error;
  for (let depth = 0; depth < maxCauses && current instanceof Error; depth += 1) {
    const code = "code" in current ? String(current.code) : "";
    if (code === "POOL_EXHAUSTED") return overloaded();
    if (unavailableCodes.has(code)) return unavailable();
    current = current.cause;
  }
  return internal();
}
