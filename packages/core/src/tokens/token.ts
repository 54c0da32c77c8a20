import type { apiTokens } from "@sewa/db/schema";
import { minuteMs } from "../clock.ts";
import { assert } from "../errors.ts";
import type { TokenScope } from "../scopes.ts";
import { tokenScopes } from "../scopes.ts";

/**
 * - active: opens what its scopes say. Ends by its time or by being revoked.
 * - expired: its time is over. Terminal: the end of a token is never moved.
 * - revoked: by its member, by an admin, or with the membership. Terminal.
 */
export type TokenStatus = "active" | "expired" | "revoked";

export type TokenRow = typeof apiTokens.$inferSelect;

/** A token as members see it: all but what it opens with. */
export interface TokenView {
  readonly id: string;
  readonly name: string;
  /** How it begins. */
  readonly hint: string;
  readonly userId: string;
  /** Null when they are no member any more. */
  readonly userName: string | null;
  readonly scopes: readonly TokenScope[];
  /** In CIDR notation; from everywhere when there are none. */
  readonly allowedNetworks: readonly string[];
  readonly status: TokenStatus;
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  readonly lastUsedAddress: string | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** For how long one is made, unless for ever. */
export const tokenLivesDays = [30, 90, 365] as const;
export type TokenLifeDays = (typeof tokenLivesDays)[number];

/** Of one organization, at once. */
export const maxLivingTokens = 20;

/** Use is written down once in this time, however often a token is used. */
export const usePrecisionMs = minuteMs;

/** Real time, like all that opens something. */
export function deriveTokenStatus(
  { revokedAt, expiresAt }: Pick<TokenRow, "revokedAt" | "expiresAt">,
  now: Date,
): TokenStatus {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}

/** Scopes out of the table, where a constraint lets in no others. */
export function toScopes(scopes: readonly string[]): readonly TokenScope[] {
  return scopes.map((scope) => {
    assert(Object.hasOwn(tokenScopes, scope), "a stored scope is one");
    return scope as TokenScope;
  });
}

export function toTokenView(row: TokenRow, userName: string | null, now: Date): TokenView {
  const { hash: _, organizationId: __, scopes, ...rest } = row;
  return { ...rest, userName, scopes: toScopes(scopes), status: deriveTokenStatus(row, now) };
}
