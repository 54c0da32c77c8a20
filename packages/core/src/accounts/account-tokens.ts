import { accountTokens, signIn } from "@sewa/db/schema";
import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { door } from "./sign-in.ts";
import { addMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { hashToken, newToken, type OneTimeKind, oneTimeLifeMs } from "./token.ts";

type MailedKind = Exclude<OneTimeKind, "socket_ticket">;

export interface MintedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Whom a mailed token speaks for, before it is used. */
export interface TokenHolder {
  readonly tokenId: string;
  readonly userId: string;
  readonly email: string;
}

/** Stores the hash of a new token and gives the token out. Tokens live on real time, not on a test clock. */
export async function mintToken(
  tx: Tx,
  input: { readonly kind: OneTimeKind; readonly userId: string; readonly sessionId?: string },
): Promise<MintedToken> {
  const token = newToken(input.kind);
  const id = hashToken(input.kind, token);
  assert(id !== null, "a new token has the shape of its kind");
  const expiresAt = addMs(tx.ctx.clock.now(), oneTimeLifeMs[input.kind]);
  await tx.sql.insert(accountTokens).values({ id, ...input, expiresAt });
  return { token, expiresAt };
}

/** Reads without using it up. Throws TOKEN_INVALID, with the same words for a wrong, a used and an expired token. */
export async function getTokenHolder(ctx: CoreContext, kind: MailedKind, token: string): Promise<TokenHolder> {
  const tokenId = hashToken(kind, token);
  if (tokenId === null) throw tokenInvalid();
  const [row] = await ctx.db.drizzle
    .select({ tokenId: signIn.tokenId, userId: signIn.userId, email: signIn.email })
    .from(door(sql`sign_in_by_token(${tokenId}, ${kind}, ${ctx.clock.now().toISOString()})`));
  if (row === undefined) throw tokenInvalid();
  return row;
}

/** Uses the socket ticket up and answers its session, or null: of two who come at once, one gets it. */
export async function spendTicket(ctx: CoreContext, tokenId: string): Promise<string | null> {
  const [row] = await ctx.db.drizzle
    .select({ sessionId: signIn.sessionId })
    .from(door(sql`spend_socket_ticket(${tokenId}, ${ctx.clock.now().toISOString()})`));
  return row?.sessionId ?? null;
}

/** Uses a mailed token up: of two who come at once, one does. Rolls back with the transaction. Throws TOKEN_INVALID. */
export async function useToken(tx: Tx, kind: MailedKind, tokenId: string): Promise<void> {
  const now = tx.ctx.clock.now();
  const used = await tx.sql
    .update(accountTokens)
    .set({ usedAt: now })
    .where(
      and(
        eq(accountTokens.id, tokenId),
        eq(accountTokens.kind, kind),
        isNull(accountTokens.usedAt),
        gt(accountTokens.expiresAt, now),
      ),
    )
    .returning({ id: accountTokens.id });
  if (used.length === 0) throw tokenInvalid();
}

/** Older links of this kind stop working. */
export async function dropTokens(tx: Tx, kind: OneTimeKind, userId: string): Promise<void> {
  await tx.sql
    .delete(accountTokens)
    .where(and(eq(accountTokens.userId, userId), eq(accountTokens.kind, kind), isNull(accountTokens.usedAt)));
}

function tokenInvalid(): DomainError {
  return new DomainError("TOKEN_INVALID", "This link is not valid any more.");
}
