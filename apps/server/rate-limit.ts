import type { Caller } from "@sewa/api";
import { DomainError } from "@sewa/core";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { ServerLimits } from "./limits.ts";

/** Counts one call of a caller, or of a network address. Throws RATE_LIMITED. */
export type Admission = (caller: Caller | null, address: string | null) => Promise<void>;

const windowSeconds = 60;

/**
 * The general limits: calls, not requests, so that a batch gains nothing. In the memory of this process, because they
 * protect this process; what must hold over all of them (log-in, registration) is counted by core in the database.
 */
export function createAdmission(limits: ServerLimits): Admission {
  const perSession = new RateLimiterMemory({ points: limits.callsPerMinutePerSession, duration: windowSeconds });
  const perAddress = new RateLimiterMemory({ points: limits.callsPerMinutePerAddress, duration: windowSeconds });
  return (caller, address) =>
    caller === null ? take(perAddress, address ?? "unknown") : take(perSession, caller.sessionId);
}

async function take(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
    throw new DomainError("RATE_LIMITED", `Too many requests. Try again in ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    });
  }
}
