import { apiTokens, users } from "@sewa/db/schema";
import { and, desc, eq, gt, isNull, lt, or, type SQL } from "drizzle-orm";
import { authorize, lockMembers } from "../accounts/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { isAtLeast, type MemberRole } from "../roles.ts";
import { toTokenView, type TokenView } from "./token.ts";

/** A member, and what they are now. */
export interface TokenMember {
  readonly userId: string;
  readonly role: MemberRole;
}

/** Newest first, with those that have ended: one's own, of everybody for an admin. */
export async function listTokens(ctx: CoreContext, input: PageInput): Promise<Page<TokenView>> {
  const { actor } = ctx;
  authorize(actor, "token.read");
  assert(actor.type === "user", "a member lists tokens");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const before = cursor === null ? undefined : lt(apiTokens.id, cursor);
    const rows = await selectTokens(tx, and(before, isInReach(actor)))
      .orderBy(desc(apiTokens.id))
      .limit(limit + 1);
    const views = rows.map(({ token, userName }) => toTokenView(token, userName, ctx.clock.now()));
    return toPage(views, limit, ({ id }) => [id]);
  });
}

/** Throws NOT_FOUND also for one of somebody else, unless the role is an admin's. */
export async function getToken(tx: Tx, tokenId: string, reader: TokenMember): Promise<TokenView> {
  const [row] = await selectTokens(tx, and(eq(apiTokens.id, tokenId), isInReach(reader)));
  if (row === undefined) throw notFound("token");
  return toTokenView(row.token, row.userName, tx.ctx.clock.now());
}

/** The actor, as what they belong to the organization now; see `lockMembers`. Throws FORBIDDEN. */
export async function lockMember(tx: Tx): Promise<TokenMember> {
  const { actor } = tx.ctx;
  assert(actor.type === "user", "a member makes and ends tokens");
  return { userId: actor.userId, role: await lockMembers(tx) };
}

export function countLivingTokens(tx: Tx): Promise<number> {
  const lives = or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, tx.ctx.clock.now()));
  return tx.sql.$count(apiTokens, and(ofOrganization(tx), isNull(apiTokens.revokedAt), lives));
}

export function ofOrganization(tx: Tx): SQL {
  return eq(apiTokens.organizationId, organizationOf(tx));
}

function isInReach({ userId, role }: TokenMember): SQL | undefined {
  return isAtLeast(role, "admin") ? undefined : eq(apiTokens.userId, userId);
}

function selectTokens(tx: Tx, condition: SQL | undefined) {
  return (
    tx.sql
      .select({ token: apiTokens, userName: users.name })
      .from(apiTokens)
      // Whoever left is nobody that the organization sees; the list keeps what they made.
      .leftJoin(users, eq(users.id, apiTokens.userId))
      .where(and(ofOrganization(tx), condition))
      .$dynamic()
  );
}
