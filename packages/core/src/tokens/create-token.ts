import { apiTokens } from "@sewa/db/schema";
import { authorize, checkName, newApiToken, takeAttempts } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import { addMs, dayMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { toPublicId } from "../ids.ts";
import { type TokenScope, tokenScopeNames } from "../scopes.ts";
import { checkNetworks } from "./networks.ts";
import { countLivingTokens, getToken, lockMember, type TokenMember } from "./queries.ts";
import { maxLivingTokens, type TokenLifeDays, type TokenView } from "./token.ts";

export interface CreateToken {
  readonly name: string;
  /** At least one. */
  readonly scopes: readonly TokenScope[];
  /** Null: it does not end by itself, which only an owner may choose. */
  readonly expiresInDays: TokenLifeDays | null;
  /** As typed; from everywhere when there are none. */
  readonly allowedNetworks: readonly string[];
  readonly idempotencyKey: string;
}

export interface CreatedToken extends TokenView {
  /** Shown this one time. */
  readonly token: string;
}

/**
 * Makes a token that acts as the actor in this organization. Its secret is stored nowhere, so a second call with the same key cannot
 * have it again: CONFLICT. Throws INVALID_INPUT, FORBIDDEN, QUOTA_EXCEEDED, RATE_LIMITED.
 */
export async function createToken(ctx: CoreContext, input: CreateToken): Promise<CreatedToken> {
  authorize(ctx.actor, "token.write");
  assert(ctx.organizationId !== null, "a member makes a token in their organization");
  const request = toRequest(input);
  await takeAttempts(ctx, [{ limit: "token.organization", of: [ctx.organizationId] }]);
  // By id, because the transaction may run again, and an answer that was stored earlier is about another token.
  const secrets = new Map<string, string>();
  const { idempotencyKey: key } = input;
  const view = await once(ctx, { key, procedure: "tokens.create", input: request }, async (tx) => {
    const member = await lockMember(tx);
    const tokenId = ctx.ids.next();
    secrets.set(tokenId, await insertToken(tx, member, tokenId, request));
    return getToken(tx, tokenId, member);
  });
  const token = secrets.get(view.id);
  if (token === undefined) {
    const id = toPublicId("token", view.id);
    throw new DomainError(
      "CONFLICT",
      `An earlier call with this key has made ${id} and was shown its secret, which is stored nowhere. Revoke it, and make another with a new key.`,
    );
  }
  return { ...view, token };
}

type Request = ReturnType<typeof toRequest>;

/** In one order, so that the same wish is the same request. */
function toRequest({ name, scopes, expiresInDays, allowedNetworks }: CreateToken) {
  const known = tokenScopeNames.filter((scope) => scopes.includes(scope));
  assert(known.length > 0, "a token is made for something");
  return {
    name: checkName(name, "name"),
    scopes: known,
    expiresInDays,
    allowedNetworks: checkNetworks(allowedNetworks),
  };
}

/** Answers with the secret. */
async function insertToken(
  tx: Tx,
  { userId, role }: TokenMember,
  tokenId: string,
  { name, scopes, expiresInDays, allowedNetworks }: Request,
): Promise<string> {
  authorize(userActor(userId, role), "token.write");
  if (expiresInDays === null && role !== "owner")
    throw new DomainError("FORBIDDEN", "Only an owner makes a token that does not end.");
  if ((await countLivingTokens(tx)) >= maxLivingTokens)
    throw new DomainError("QUOTA_EXCEEDED", `At most ${maxLivingTokens} tokens live at once. Revoke one first.`);
  const { token, ...stored } = newApiToken();
  const expiresAt = expiresInDays === null ? null : addMs(tx.ctx.clock.now(), expiresInDays * dayMs);
  await tx.sql.insert(apiTokens).values({
    id: tokenId,
    organizationId: organizationOf(tx),
    userId,
    name,
    ...stored,
    scopes,
    allowedNetworks,
    expiresAt,
  });
  const after = { name, hint: stored.hint, scopes, allowedNetworks, expiresAt };
  const subject = { type: "token", id: tokenId };
  record(tx, { type: "token.created", subject, data: { tokenId, userId, scopes }, after });
  return token;
}
