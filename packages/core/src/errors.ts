/** Refusals that a client can expect and switch on. Adding one fails to compile until the api has mapped it. */
export const domainErrorCodes = [
  "NOT_FOUND",
  "FORBIDDEN",
  "UNAUTHORIZED",
  "INVALID_CREDENTIALS",
  "TOTP_REQUIRED",
  "PASSWORD_EXPIRED",
  "CONFIRMATION_REQUIRED",
  "TOKEN_INVALID",
  "TOKEN_SCOPE",
  "NOT_WHILE_IMPERSONATING",
  "EMAIL_NOT_VERIFIED",
  "ACCOUNT_SUSPENDED",
  "ACCOUNT_PARKED",
  "DELETION_BLOCKED",
  "RATE_LIMITED",
  "INVALID_INPUT",
  "CONFLICT",
  "LAST_OWNER",
  "LAST_WAY_IN",
  "ACCOUNT_EXISTS",
  "IDENTITY_TAKEN",
  "WRONG_ACCOUNT",
  "IN_PROGRESS",
  "IDEMPOTENCY_KEY_REUSED",
  "INVALID_TRANSITION",
  "OPERATION_IN_PROGRESS",
  "NAME_MISMATCH",
  "ALREADY_RENEWED",
  "PLAN_UNAVAILABLE",
  "NO_PRICE",
  "PRICE_CHANGED",
  "TRIAL_USED",
  "FREE_PLAN_USED",
  "DISPOSABLE_ADDRESS",
  "PLAN_STALE",
  "CAPACITY",
  "QUOTA_EXCEEDED",
  "PAYMENT_REQUIRED",
  "PAYMENT_IN_PROGRESS",
  "PAYMENT_UNAVAILABLE",
  "INSUFFICIENT_FUNDS",
  "CURRENCY",
  "REFUND",
  "BLUEPRINT_INVALID",
  "LOGS_UNAVAILABLE",
  "SPENDING_CAPPED",
  "TEST_CLOCK_REQUIRED",
] as const;
export type DomainErrorCode = (typeof domainErrorCodes)[number];

export interface FieldIssue {
  /** Dotted path into the input, for example `parameters.cores`. */
  readonly path: string;
  readonly message: string;
}

/** An expected refusal. `message` is for people and carries no secret, no SQL and no host name. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: DomainErrorCode;
  readonly issues: readonly FieldIssue[];
  /** Seconds after which it makes sense to try again; null when it never does. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: DomainErrorCode,
    message: string,
    details: { issues?: readonly FieldIssue[]; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.code = code;
    this.issues = details.issues ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
  }
}

/** The same words for a foreign, a deleted and an invented id: nothing can be learnt from the answer. */
export function notFound(noun: string): DomainError {
  return new DomainError("NOT_FOUND", `No such ${noun}.`);
}

/** A promise that our own code must keep. Breaking it is a defect, never a refusal. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`);
}

/** Makes a forgotten case of a union fail to compile. */
export function unreachable(value: never): never {
  throw new Error(`Broken invariant: unexpected ${JSON.stringify(value)}`);
}
