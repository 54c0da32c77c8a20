import type { Caller } from "@sewa/api";
import { type Authenticated, authenticate, type CoreContext, readSession, redeemSocketTicket } from "@sewa/core";
import type { Credentials } from "./credentials.ts";

/** Answers who a connection speaks for. */
export interface CallerSource {
  /**
   * As known for at most `maxAgeMs`. Null when nobody is logged in. Throws ACCOUNT_SUSPENDED, and NOT_FOUND for who is no
   * member of the organization.
   */
  get(): Promise<Caller | null>;
  /** As it is now. */
  refresh(): Promise<Caller | null>;
  /** What `get` said last. */
  readonly last: Caller | null;
}

export interface CallerSourceOptions {
  readonly maxAgeMs: number;
  /**
   * For whom the connection wants to speak; null: for the caller's home. Once it was answered it stays the same, so that
   * nobody who is removed from one organization goes on in another without knowing.
   */
  readonly organizationId: string | null;
  /** The session was prolonged just now. */
  readonly onFresh?: (expiresAt: Date) => void;
}

export function createCallerSource(
  core: CoreContext,
  credentials: Credentials | null,
  options: CallerSourceOptions,
): CallerSource {
  const read = createReader(core, credentials);
  let { organizationId } = options;
  let last: Caller | null = null;
  let known: { readonly answer: Promise<Caller | null>; readonly at: number } | null = null;

  const ask = async (): Promise<Caller | null> => {
    try {
      const authenticated = await read(organizationId);
      organizationId ??= authenticated?.organizationId ?? null;
      if (authenticated?.fresh === true) options.onFresh?.(authenticated.expiresAt);
      last = authenticated === null ? null : toCaller(authenticated);
      return last;
    } catch (error) {
      // A failure is no answer: the next call asks again.
      known = null;
      throw error;
    }
  };
  const refresh = (): Promise<Caller | null> => {
    const answer = ask();
    known = { answer, at: performance.now() };
    return answer;
  };
  return {
    get: () => (known !== null && performance.now() - known.at < options.maxAgeMs ? known.answer : refresh()),
    refresh,
    get last() {
      return last;
    },
  };
}

/** A ticket is used up the first time; from then on the session that it came from is asked. */
function createReader(
  core: CoreContext,
  credentials: Credentials | null,
): (organizationId: string | null) => Promise<Authenticated | null> {
  if (credentials === null) return () => Promise.resolve(null);
  const { kind, secret } = credentials;
  if (kind === "token") return (organizationId) => authenticate(core, secret, organizationId);
  let redeemed: Promise<string | null> | null = null;
  return async (organizationId) => {
    if (redeemed !== null) {
      const sessionId = await redeemed;
      return sessionId === null ? null : readSession(core, sessionId, organizationId);
    }
    const first = redeemSocketTicket(core, secret, organizationId);
    redeemed = first.then((authenticated) => authenticated?.sessionId ?? null);
    redeemed.catch(() => undefined);
    return first;
  };
}

function toCaller({ user, organizationId, role, sessionId, isOperator }: Authenticated): Caller {
  return { userId: user.id, organizationId, role, sessionId, isOperator };
}
