import { apiTokens, auditEntries, events, idempotencyRecords, members, users } from "@sewa/db/schema";
import { databaseErrorOf } from "@sewa/db";
import { and, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { logOut, newApiToken, updateOrganization } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import { addMs, dayMs, minuteMs, secondMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { changeMemberRole, removeMember } from "../organizations/index.ts";
import { givenCustomer } from "../testing/given.ts";
import { givenTeam } from "../testing/given-team.ts";
import { refusal } from "../testing/refusal.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import { authenticateToken, type CreateToken, createToken, listTokens, maxLivingTokens, revokeToken } from "./index.ts";

let keys = 0;

function wish(further: Partial<CreateToken> = {}): CreateToken {
  keys += 1;
  const usual = { name: "Pipeline", scopes: ["read", "apps"], expiresInDays: 30, allowedNetworks: [] } as const;
  return { ...usual, idempotencyKey: `token-${keys}`, ...further };
}

/** As a server asks, which acts as nobody. */
function show(
  core: TestCore,
  token: string,
  address: string | null = "192.0.2.1",
  organizationId: string | null = null,
) {
  const nobody = core.ctx.as({ type: "anonymous" });
  return authenticateToken(nobody, { token, address, organizationId });
}

const invalid = { code: "UNAUTHORIZED", message: "This API token is not valid." };

async function stored(core: TestCore, tokenId: string) {
  const [row] = await core.database.drizzle.select().from(apiTokens).where(eq(apiTokens.id, tokenId));
  return row;
}

test("a token is shown once, speaks for its maker, and nothing that is kept opens anything", async () => {
  await using core = await testCore();
  const { ctx, organizationId, userId } = await givenCustomer(core.ctx);
  const made = await createToken(ctx, wish({ scopes: ["apps", "read", "apps"] }));
  expect(made).toMatchObject({
    name: "Pipeline",
    scopes: ["read", "apps"],
    status: "active",
    userId,
    lastUsedAt: null,
  });
  expect(made.token).toMatch(/^sewa_k_[\w-]{43}[0-9A-Za-z]{6}$/);
  expect(made.token.startsWith(made.hint)).toBe(true);
  expect(made.hint).toHaveLength(12);
  expect(await show(core, made.token)).toEqual({
    tokenId: made.id,
    userId,
    organizationId,
    role: "owner",
    scopes: ["read", "apps"],
  });
  const row = await stored(core, made.id);
  expect(await refusal(show(core, row?.hash ?? ""))).toMatchObject(invalid);
  const { drizzle } = core.database;
  const kept = [row, await drizzle.select().from(events), await drizzle.select().from(auditEntries)];
  const text = JSON.stringify([...kept, await drizzle.select().from(idempotencyRecords)]);
  expect(text).toContain(made.hint);
  expect(text).not.toContain(made.token.slice(12, 50));
  expect(core.observed).toContain("token.created");
});

test("B37 a typo, and whatever else no token can be, is refused without asking the database", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const { token } = await createToken(ctx, wish());
  const unreachable = new Proxy(core.ctx.db, {
    get() {
      throw new Error("The database was asked.");
    },
  });
  const ask = (text: string): Promise<unknown> =>
    authenticateToken({ ...core.ctx, db: unreachable }, { token: text, address: null, organizationId: null });
  await expect(ask(token)).rejects.toThrow("The database was asked.");
  const other = (character: string): string => (character === "A" ? "B" : "A");
  const typos = Array.from(token, (character, at) => token.slice(0, at) + other(character) + token.slice(at + 1));
  const [swapped, cut, longer] = [
    token.slice(0, -6) + token.slice(-6).split("").toReversed().join(""),
    token.slice(0, -1),
    `${token}0`,
  ];
  expect(swapped).not.toBe(token);
  for (const text of [...typos, swapped, cut, longer, "", "sewa_k_", ` ${token}`, `${token}\n`]) {
    expect({ text, refused: await refusal(ask(text)) }).toMatchObject({ text, refused: invalid });
  }
  // Whole, and of nobody.
  expect(await refusal(show(core, newApiToken().token))).toMatchObject(invalid);
});

test("the same key makes no second token, and does not tell the first one again", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const input = wish();
  const attempts = await Promise.allSettled([
    createToken(ctx, input),
    createToken(ctx, input),
    createToken(ctx, input),
  ]);
  expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const again = await refusal(createToken(ctx, input));
  expect(again).toMatchObject({ code: "CONFLICT", message: expect.stringMatching(/tok_\w{26} .*Revoke it/) as string });
  expect(again.message).not.toContain("sewa_k_");
  expect(await refusal(createToken(ctx, { ...input, name: "Other" }))).toMatchObject({
    code: "IDEMPOTENCY_KEY_REUSED",
  });
  expect((await listTokens(ctx, {})).items).toHaveLength(1);
});

test("a token that has ended, by its time or by hand, opens nothing and never lives again", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const start = core.clock.now();
  const [short, long, endless] = [
    await createToken(ctx, wish()),
    await createToken(ctx, wish({ expiresInDays: 365 })),
    await createToken(ctx, wish({ expiresInDays: null })),
  ];
  core.clock.set(addMs(start, 30 * dayMs - 1));
  expect(await show(core, short.token)).toMatchObject({ tokenId: short.id });
  core.clock.set(addMs(start, 30 * dayMs));
  expect(await refusal(show(core, short.token))).toMatchObject(invalid);
  expect(await revokeToken(ctx, long.id)).toMatchObject({ status: "revoked" });
  const before = await stored(core, long.id);
  core.clock.set(addMs(core.clock.now(), dayMs));
  expect(await revokeToken(ctx, long.id)).toMatchObject({ status: "revoked", revokedAt: before?.revokedAt });
  expect(await refusal(show(core, long.token))).toMatchObject(invalid);
  core.clock.set(addMs(start, 10_000 * dayMs));
  expect(await show(core, endless.token)).toMatchObject({ tokenId: endless.id });
  const { items } = await listTokens(ctx, {});
  expect(items.map(({ status }) => status)).toEqual(["active", "revoked", "expired"]);
  const revive = core.database.drizzle.update(apiTokens).set({ revokedAt: null }).where(eq(apiTokens.id, long.id));
  expect(databaseErrorOf(await revive.catch((error: unknown) => error))).toMatchObject({ code: "23000" });
  const widen = core.database.drizzle.update(apiTokens).set({ expiresAt: null, scopes: ["billing"] });
  expect(databaseErrorOf(await widen.catch((error: unknown) => error))).toMatchObject({ code: "42501" });
});

test("a token may what its member may now, and dies with the membership for good", async () => {
  await using core = await testCore();
  const { owner, organizationId, member } = await givenTeam(core, "developer");
  const { userId, ctx } = member.developer;
  const { id, token } = await createToken(ctx, wish({ scopes: ["apps", "read"] }));
  expect(await show(core, token)).toMatchObject({ role: "developer" });
  await changeMemberRole(owner, { userId, role: "viewer" });
  expect(await show(core, token)).toMatchObject({ role: "viewer" });
  await core.database.drizzle.update(users).set({ suspendedAt: core.clock.now() }).where(eq(users.id, userId));
  expect(await refusal(show(core, token))).toMatchObject({ code: "ACCOUNT_SUSPENDED" });
  await core.database.drizzle.update(users).set({ suspendedAt: null }).where(eq(users.id, userId));
  await removeMember(owner, { userId, idempotencyKey: "remove-developer" });
  expect(await refusal(show(core, token))).toMatchObject(invalid);
  expect(core.observed.filter((type) => type === "token.revoked")).toHaveLength(1);
  // Whose name nobody here may know any more; the token stays on the list.
  expect((await listTokens(owner, {})).items).toMatchObject([{ id, status: "revoked", userName: null }]);
  await core.database.drizzle.insert(members).values({ organizationId, userId, role: "developer" });
  expect(await refusal(show(core, token))).toMatchObject(invalid);
  expect((await listTokens(owner, {})).items).toMatchObject([{ id, status: "revoked" }]);
});

test("a membership that is ended past the verbs takes its tokens along", async () => {
  await using core = await testCore();
  const { organizationId, member } = await givenTeam(core, "admin", "developer");
  const { token } = await createToken(member.admin.ctx, wish());
  const { token: others } = await createToken(member.developer.ctx, wish());
  const { userId } = member.admin;
  const row = and(eq(members.organizationId, organizationId), eq(members.userId, userId));
  await core.database.drizzle.delete(members).where(row);
  await core.database.drizzle.insert(members).values({ organizationId, userId, role: "admin" });
  expect(await refusal(show(core, token))).toMatchObject(invalid);
  expect(await show(core, others)).toMatchObject({ role: "developer" });
});

test("a token is of one organization, also where its maker belongs to others", async () => {
  await using core = await testCore();
  const { organizationId, member } = await givenTeam(core, "admin");
  const { token } = await createToken(member.admin.ctx, wish());
  expect(await show(core, token, null, organizationId)).toMatchObject({ organizationId });
  for (const other of [member.admin.homeId, core.ctx.ids.next()]) {
    expect(await refusal(show(core, token, null, other))).toMatchObject({
      code: "NOT_FOUND",
      message: "No such organization.",
    });
  }
});

test("members see and end their own, an admin those of everybody, and nobody those of another organization", async () => {
  await using core = await testCore();
  const { owner, member } = await givenTeam(core, "admin", "developer", "billing", "viewer");
  const stranger = (await givenCustomer(core.ctx)).ctx;
  const theirs = await createToken(owner, wish({ name: "Owner's" }));
  const mine = await createToken(member.developer.ctx, wish({ name: "Developer's" }));
  const names = async (ctx: CoreContext): Promise<readonly string[]> =>
    (await listTokens(ctx, {})).items.map(({ name }) => name);
  expect(await names(member.developer.ctx)).toEqual(["Developer's"]);
  expect(await names(member.admin.ctx)).toEqual(["Developer's", "Owner's"]);
  expect(await names(stranger)).toEqual([]);
  for (const ctx of [member.developer.ctx, stranger]) {
    expect(await refusal(revokeToken(ctx, theirs.id))).toMatchObject({ code: "NOT_FOUND" });
  }
  for (const { ctx } of [member.billing, member.viewer]) {
    expect(await refusal(createToken(ctx, wish()))).toMatchObject({ code: "FORBIDDEN" });
    expect(await refusal(listTokens(ctx, {}))).toMatchObject({ code: "FORBIDDEN" });
    expect(await refusal(revokeToken(ctx, mine.id))).toMatchObject({ code: "FORBIDDEN" });
  }
  expect(await revokeToken(member.admin.ctx, theirs.id)).toMatchObject({ status: "revoked" });
  expect(await revokeToken(member.developer.ctx, mine.id)).toMatchObject({ status: "revoked" });
  const page = await listTokens(owner, { limit: 1 });
  expect(page.items.map(({ id }) => id)).toEqual([mine.id]);
  const rest = await listTokens(owner, { limit: 1, cursor: page.nextCursor ?? "" });
  expect(rest).toMatchObject({ items: [{ id: theirs.id }], nextCursor: null });
});

test("what counts for making a token is the role of now, and only an owner makes one that does not end", async () => {
  await using core = await testCore();
  const { owner, member } = await givenTeam(core, "admin", "developer");
  for (const { ctx } of [member.admin, member.developer]) {
    expect(await refusal(createToken(ctx, wish({ expiresInDays: null })))).toMatchObject({ code: "FORBIDDEN" });
  }
  await changeMemberRole(owner, { userId: member.developer.userId, role: "viewer" });
  expect(await refusal(createToken(member.developer.ctx, wish()))).toMatchObject({ code: "FORBIDDEN" });
  const byToken = owner.as(userActor(member.admin.userId, "admin", { id: owner.ids.next(), scopes: ["read", "apps"] }));
  expect(await refusal(createToken(byToken, wish()))).toMatchObject({ code: "TOKEN_SCOPE" });
  expect(
    await refusal(removeMember(byToken, { userId: member.developer.userId, idempotencyKey: "by-token-1" })),
  ).toMatchObject({
    code: "TOKEN_SCOPE",
  });
});

test("what a token does is written down as its own, and as its member's", async () => {
  await using core = await testCore();
  const { owner, ownerId } = await givenTeam(core);
  const token = await createToken(owner, wish());
  const byToken = owner.as(userActor(ownerId, "owner", { id: token.id, scopes: ["organization"] }));
  await updateOrganization(byToken, { name: "By a program" });
  const rows = await core.database.drizzle.select({ actor: events.actor, type: events.type }).from(events);
  expect(rows.find(({ type }) => type === "organization.updated")).toMatchObject({
    actor: `user:${ownerId}:token:${token.id}`,
  });
});

test(`${maxLivingTokens} tokens live at once and no more, also when many are made at once`, async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  for (let count = 0; count < maxLivingTokens - 2; count += 1) await createToken(ctx, wish());
  const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => createToken(ctx, wish())));
  expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  const refused = attempts.filter(({ status }) => status === "rejected");
  for (const each of refused) expect(each).toMatchObject({ reason: { code: "QUOTA_EXCEEDED" } });
  const [first] = (await listTokens(ctx, {})).items;
  await revokeToken(ctx, first?.id ?? "");
  await createToken(ctx, wish());
  // Those whose time is over make room as well.
  core.clock.set(addMs(core.clock.now(), 30 * dayMs));
  await createToken(ctx, wish());
});

test("use is written down once a minute, with the address of the client", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const { id, token } = await createToken(ctx, wish());
  const start = core.clock.now();
  const lastUse = async () => {
    const row = await stored(core, id);
    return { at: row?.lastUsedAt ?? null, address: row?.lastUsedAddress };
  };
  await Promise.all(Array.from({ length: 8 }, () => show(core, token, "::ffff:192.0.2.7")));
  await expect.poll(lastUse, { timeout: 15_000 }).toEqual({ at: start, address: "192.0.2.7" });
  core.clock.set(addMs(start, minuteMs - secondMs));
  await show(core, token, "192.0.2.8");
  core.clock.set(addMs(start, minuteMs));
  await show(core, token, "no address");
  await expect.poll(lastUse, { timeout: 15_000 }).toEqual({ at: addMs(start, minuteMs), address: null });
});

test("an API token ends no session, and says so", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const { token } = await createToken(ctx, wish());
  expect(await refusal(logOut(core.ctx, { token }))).toMatchObject({ code: "TOKEN_SCOPE" });
});
