import type { TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODE_NUMBER } from "@trpc/server";

/** What a client switches on: stable, unlike messages. The first block are refusals of the business, the second of the transport. */
export type AppErrorCode =
  | "NOT_FOUND"
  | "FORBIDDEN"
  | "UNAUTHORIZED"
  | "INVALID_CREDENTIALS"
  | "TOTP_REQUIRED"
  | "PASSWORD_EXPIRED"
  | "CONFIRMATION_REQUIRED"
  | "TOKEN_INVALID"
  | "TOKEN_SCOPE"
  | "NOT_WHILE_IMPERSONATING"
  | "EMAIL_NOT_VERIFIED"
  | "ACCOUNT_SUSPENDED"
  | "ACCOUNT_PARKED"
  | "DELETION_BLOCKED"
  | "RATE_LIMITED"
  | "INVALID_INPUT"
  | "CONFLICT"
  | "LAST_OWNER"
  | "LAST_WAY_IN"
  | "ACCOUNT_EXISTS"
  | "IDENTITY_TAKEN"
  | "WRONG_ACCOUNT"
  | "IN_PROGRESS"
  | "IDEMPOTENCY_KEY_REUSED"
  | "INVALID_TRANSITION"
  | "OPERATION_IN_PROGRESS"
  | "NAME_MISMATCH"
  | "ALREADY_RENEWED"
  | "PLAN_UNAVAILABLE"
  | "NO_PRICE"
  | "PRICE_CHANGED"
  | "TRIAL_USED"
  | "FREE_PLAN_USED"
  | "DISPOSABLE_ADDRESS"
  | "PLAN_STALE"
  | "CAPACITY"
  | "QUOTA_EXCEEDED"
  | "PAYMENT_REQUIRED"
  | "PAYMENT_IN_PROGRESS"
  | "PAYMENT_UNAVAILABLE"
  | "INSUFFICIENT_FUNDS"
  | "CURRENCY"
  | "REFUND"
  | "BLUEPRINT_INVALID"
  | "LOGS_UNAVAILABLE"
  | "SPENDING_CAPPED"
  | "TEST_CLOCK_REQUIRED"
  | "BAD_REQUEST"
  | "BAD_JSON"
  | "BAD_ORIGIN"
  | "UNKNOWN_PROCEDURE"
  | "METHOD_NOT_SUPPORTED"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "PAYLOAD_TOO_LARGE"
  | "UNAVAILABLE"
  | "OVERLOADED"
  | "INTERNAL";

export interface AppErrorIssue {
  /** Dotted path into the input, for example `parameters.cores`; empty for the input as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface AppErrorData {
  readonly code: TRPC_ERROR_CODE_KEY;
  readonly httpStatus: number;
  /** The procedure that was called; null when the request did not get that far. */
  readonly path: string | null;
  readonly appCode: AppErrorCode;
  /** Names this request in the operator's logs. */
  readonly requestId: string | null;
  readonly issues: readonly AppErrorIssue[];
  /** Seconds after which it makes sense to try again; null when it never does. */
  readonly retryAfterSeconds: number | null;
}

/** Every error that leaves the server. Never holds SQL, parameters, stacks or hosts. */
export interface AppErrorShape {
  readonly code: TRPC_ERROR_CODE_NUMBER;
  /** For people. */
  readonly message: string;
  readonly data: AppErrorData;
}
