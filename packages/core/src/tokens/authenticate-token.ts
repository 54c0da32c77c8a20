import { apiTokenHolder, apiTokens } from "@sewa/db/schema";
import { and, eq, isNull, lt, or, sql } from "drizzle-orm";
import { plainAddress } from "../addresses.ts";
import { accountSuspended, door, hashApiToken } from "../accounts/index.ts";
import { addMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import type { MemberRole } from "../roles.ts";
import type { TokenScope } from "../scopes.ts";
import { isFromAllowed } from "./networks.ts";
import { deriveTokenStatus, toScopes, usePrecisionMs } from "./token.ts";

/** For whom a token speaks, and as what they are now. */
export interface AuthenticatedToken {
  readonly tokenId: string;
  readonly userId: string;
  readonly organizationId: string;
  readonly role: MemberRole;
  readonly scopes: readonly TokenScope[];
}

export interface ShownToken {
  readonly token: string;
  /** Of the client; null where nobody could tell. */
  readonly address: string | null;
  /** For whom it wants to act; null: for the organization of the token, and it may for no other. */
  readonly organizationId: string | null;
}

/**
 * Who an API token speaks for. Throws UNAUTHORIZED in the same words for one that is wrong, has ended, or is shown from where it is not
 * good, at no cost when its checksum is wrong; NOT_FOUND for another organization; ACCOUNT_SUSPENDED. That it was used is written
 * down later, and losing that is no harm.
 */
export async function authenticateToken(
  ctx: CoreContext,
  { token, address, organizationId }: ShownToken,
): Promise<AuthenticatedToken> {
  const hash = hashApiToken(token);
  const found = hash === null ? null : await findToken(ctx, hash);
  const now = ctx.clock.now();
  if (found === null || deriveTokenStatus(found, now) !== "active" || !isFromAllowed(found.allowedNetworks, address)) {
    throw new DomainError("UNAUTHORIZED", "This API token is not valid.");
  }
  if (found.suspendedAt !== null) throw accountSuspended();
  if (organizationId !== null && organizationId !== found.organizationId) throw notFound("organization");
  if (found.lastUsedAt === null || found.lastUsedAt <= addMs(now, -usePrecisionMs)) {
    void noteUse(ctx.forOrganization(found.organizationId), found.tokenId, address).catch(() => undefined);
  }
  const { tokenId, userId, role } = found;
  return { tokenId, userId, organizationId: found.organizationId, role, scopes: toScopes(found.scopes) };
}

/** One round trip, through a door of sign-in: only the row says to which organization it belongs. */
async function findToken(ctx: CoreContext, hash: string) {
  const [row] = await ctx.db.drizzle
    .select({
      tokenId: apiTokenHolder.tokenId,
      organizationId: apiTokenHolder.organizationId,
      userId: apiTokenHolder.userId,
      role: apiTokenHolder.role,
      scopes: apiTokenHolder.scopes,
      allowedNetworks: apiTokenHolder.allowedNetworks,
      expiresAt: apiTokenHolder.expiresAt,
      revokedAt: apiTokenHolder.revokedAt,
      lastUsedAt: apiTokenHolder.lastUsedAt,
      suspendedAt: apiTokenHolder.suspendedAt,
    })
    .from(door(sql`sign_in_by_api_token(${hash})`, "api_token_holder"));
  return row ?? null;
}

/** Of many calls at once, one writes. */
async function noteUse(ctx: CoreContext, tokenId: string, address: string | null): Promise<void> {
  const now = ctx.clock.now();
  const isStale = or(isNull(apiTokens.lastUsedAt), lt(apiTokens.lastUsedAt, addMs(now, 1 - usePrecisionMs)));
  await ctx.transaction((tx) =>
    tx.sql
      .update(apiTokens)
      .set({ lastUsedAt: now, lastUsedAddress: plainAddress(address) })
      .where(and(eq(apiTokens.id, tokenId), isStale)),
  );
}
