import type { AppErrorCode, AppErrorShape, AppRouter } from "@sewa/api";
import { TRPCClientError } from "@trpc/client";

/** What the API says about a refusal; null when it was not reached at all. */
export function refusalOf(error: unknown): AppErrorShape["data"] | null {
  return error instanceof TRPCClientError ? ((error as TRPCClientError<AppRouter>).data ?? null) : null;
}

/** Codes for which this client has words of its own; all others keep the API's. */
const sentences: Partial<Record<AppErrorCode, string>> = {
  UNAUTHORIZED: "Please log in.",
  INVALID_CREDENTIALS: "E-mail address or password is wrong.",
  EMAIL_NOT_VERIFIED: "Please open the link in the mail that we sent you.",
  CAPACITY: "There is no room at the moment. Nothing was charged.",
  PRICE_CHANGED: "The price has changed. Have a look at the new one.",
  QUOTA_EXCEEDED: "You have as many apps as your account may have.",
  RATE_LIMITED: "That was too often.",
  UNAVAILABLE: "Not available at the moment.",
};

/** For a person: what happened, which field is meant, when to come back, and what to tell the operator. */
export function explain(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal === null) return "The server cannot be reached. Try again.";
  const { appCode, issues, retryAfterSeconds, requestId } = refusal;
  return [
    sentences[appCode] ?? (error as Error).message,
    ...issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)),
    ...(retryAfterSeconds === null ? [] : [`Try again in ${retryAfterSeconds} s.`]),
    ...(appCode === "INTERNAL" && requestId !== null ? [`Reference: ${requestId}`] : []),
  ].join(" ");
}
