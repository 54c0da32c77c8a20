import { DomainError, type DomainErrorCode } from "@sewa/core";
import { AuthorizationResponseError } from "openid-client";
import { ProviderUnavailable } from "./bounded-fetch.ts";

/** What the portal is told, as `error` in the address that it is opened with. */
export type SignInError =
  | "account_exists"
  | "account_suspended"
  | "attempt_invalid"
  | "cancelled"
  | "email_not_verified"
  | "identity_invalid"
  | "identity_taken"
  | "not_fresh"
  | "provider_refused"
  | "provider_unavailable"
  | "rate_limited"
  | "too_many_identities"
  | "totp_required"
  | "unavailable"
  | "wrong_account";

const ofCore: Partial<Record<DomainErrorCode, SignInError>> = {
  ACCOUNT_EXISTS: "account_exists",
  ACCOUNT_SUSPENDED: "account_suspended",
  EMAIL_NOT_VERIFIED: "email_not_verified",
  IDENTITY_TAKEN: "identity_taken",
  INVALID_CREDENTIALS: "not_fresh",
  INVALID_INPUT: "identity_invalid",
  QUOTA_EXCEEDED: "too_many_identities",
  RATE_LIMITED: "rate_limited",
  TOKEN_INVALID: "attempt_invalid",
  TOTP_REQUIRED: "totp_required",
  UNAUTHORIZED: "attempt_invalid",
  WRONG_ACCOUNT: "wrong_account",
};

/** Of what core refused; `unavailable` for a defect or a database that does not answer. */
export function coreError(error: unknown): SignInError {
  return (error instanceof DomainError ? ofCore[error.code] : undefined) ?? "unavailable";
}

/** Of what went wrong between us and the provider. */
export function providerError(error: unknown): SignInError {
  if (error instanceof AuthorizationResponseError)
    return error.error === "access_denied" ? "cancelled" : "provider_refused";
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ProviderUnavailable) return "provider_unavailable";
  }
  return "identity_invalid";
}
