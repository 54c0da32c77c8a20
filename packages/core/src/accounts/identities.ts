import { identities, signIn } from "@sewa/db/schema";
import { and, asc, eq, sql } from "drizzle-orm";
import type { CoreContext, SignInProvider, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import type { UserView } from "./account.ts";
import { doorUserColumns, toUserView } from "./account.ts";
import { door } from "./sign-in.ts";

/**
 * Whom a provider has proved somebody to be. Issuer and subject together mean the same person for good. An address does not: it is given up
 * and given to others, and not every provider asks for a proof of it.
 */
export interface ProvenIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  /** The provider says that the address was proved to be theirs. */
  readonly isEmailVerified: boolean;
  readonly name: string | null;
  /** When they last proved to be themselves there; null where the provider does not say it. */
  readonly provedAt: Date | null;
}

export interface Identity {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

export interface KnownIdentity {
  readonly identityId: string;
  readonly user: UserView;
}

/** Through the door of sign-in, where no organization is known yet. */
export async function findByIdentity(
  ctx: CoreContext,
  { issuer, subject }: ProvenIdentity,
): Promise<KnownIdentity | null> {
  const [row] = await ctx.db.drizzle
    .select({ ...doorUserColumns, identityId: signIn.identityId })
    .from(door(sql`sign_in_by_identity(${issuer}, ${subject})`));
  return row === undefined ? null : { identityId: row.identityId, user: toUserView(row) };
}

/** Oldest first. There are never many of them. */
export async function readIdentities(tx: Tx, userId: string): Promise<readonly Identity[]> {
  return tx.sql
    .select({
      id: identities.id,
      issuer: identities.issuer,
      subject: identities.subject,
      email: identities.email,
      createdAt: identities.createdAt,
      lastUsedAt: identities.lastUsedAt,
    })
    .from(identities)
    .where(eq(identities.userId, userId))
    .orderBy(asc(identities.createdAt), asc(identities.id));
}

/** Throws IDENTITY_TAKEN when somebody has it, be it out of sight of this transaction. */
export async function storeIdentity(tx: Tx, userId: string, identity: ProvenIdentity): Promise<void> {
  const { issuer, subject, email } = identity;
  const now = tx.ctx.clock.now();
  const [stored] = await tx.sql
    .insert(identities)
    .values({ id: tx.ctx.ids.next(), userId, issuer, subject, email, lastUsedAt: now, createdAt: now })
    .onConflictDoNothing()
    .returning({ id: identities.id });
  if (stored === undefined)
    throw new DomainError("IDENTITY_TAKEN", "This account at the provider is linked to somebody else.");
}

/** False when it was unlinked meanwhile. */
export async function markIdentityUsed(tx: Tx, userId: string, identityId: string): Promise<boolean> {
  const [used] = await tx.sql
    .update(identities)
    .set({ lastUsedAt: tx.ctx.clock.now() })
    .where(and(eq(identities.id, identityId), eq(identities.userId, userId)))
    .returning({ id: identities.id });
  return used !== undefined;
}

/** Of an identity that is stored: null when its provider is not configured any more. */
export function providerOf(
  { signInProviders = [] }: CoreContext,
  { issuer }: { readonly issuer: string },
): SignInProvider | null {
  return signInProviders.find((provider) => provider.issuer === issuer) ?? null;
}

/** What people know the provider by. */
export function labelOf(ctx: CoreContext, identity: { readonly issuer: string }): string {
  return providerOf(ctx, identity)?.label ?? URL.parse(identity.issuer)?.host ?? identity.issuer;
}
