import type { Caller } from "@sewa/api";
import {
  type Authenticated,
  type AuthenticatedToken,
  authenticate,
  authenticateToken,
  type CoreContext,
  isApiToken,
  readSession,
  redeemSocketTicket,
} from "@sewa/core";
import type { Credentials } from "./credentials.ts";

/** Answers who a connection speaks for. */
export interface CallerSource {
  /**
   * As known for at most `maxAgeMs`. Null when nobody is logged in. Throws ACCOUNT_SUSPENDED, NOT_FOUND for who is no member
   * of the organization, and UNAUTHORIZED for an API token that is not good, or not from this address.
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
  /** Of the client. */
  readonly address: string | null;
  /** The session was prolonged just now. */
  readonly onFresh?: (expiresAt: Date) => void;
}

export function createCallerSource(
  core: CoreContext,
  credentials: Credentials | null,
  options: CallerSourceOptions,
): CallerSource {
  const read = createReader(core, credentials, options);
  let { organizationId } = options;
  let last: Caller | null = null;
  let known: { readonly answer: Promise<Caller | null>; readonly at: number } | null = null;

  const ask = async (): Promise<Caller | null> => {
    try {
      last = await read(organizationId);
      organizationId ??= last?.organizationId ?? null;
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

type Reader = (organizationId: string | null) => Promise<Caller | null>;

function createReader(core: CoreContext, credentials: Credentials | null, options: CallerSourceOptions): Reader {
  if (credentials === null) return () => Promise.resolve(null);
  const { kind, secret, from } = credentials;
  // A cookie holds a session: browsers send it on their own, and a token is for programs.
  if (kind === "token" && from !== "cookie" && isApiToken(secret)) {
    const { address } = options;
    return async (organizationId) =>
      toTokenCaller(await authenticateToken(core, { token: secret, address, organizationId }));
  }
  const read = createSessionReader(core, kind, secret);
  return async (organizationId) => {
    const authenticated = await read(organizationId);
    if (authenticated?.fresh === true) options.onFresh?.(authenticated.expiresAt);
    return authenticated === null ? null : toCaller(authenticated);
  };
}

/** A ticket is used up the first time; from then on the session that it came from is asked. */
function createSessionReader(
  core: CoreContext,
  kind: Credentials["kind"],
  secret: string,
): (organizationId: string | null) => Promise<Authenticated | null> {
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

function toCaller(authenticated: Authenticated): Caller {
  const { user, organizationId, role, sessionId, isOperator, hasExpiredPassword, expiresAt: endsAt } = authenticated;
  const impersonation = authenticated.impersonation && { ...authenticated.impersonation, endsAt };
  const rights = { organizationId, role, isOperator, hasExpiredPassword };
  return { userId: user.id, sessionId, ...rights, token: null, impersonation };
}

function toTokenCaller({ tokenId, userId, organizationId, role, scopes }: AuthenticatedToken): Caller {
  const token = { id: tokenId, scopes };
  const rights = { organizationId, role, isOperator: false, hasExpiredPassword: false };
  return { userId, sessionId: tokenId, ...rights, token, impersonation: null };
}
