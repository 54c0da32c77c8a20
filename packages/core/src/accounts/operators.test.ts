import { auditEntries, events, organizations, sessions, testClocks, users } from "@sewa/db/schema";
import { connectDatabase } from "@sewa/db";
import { expect, test } from "vitest";
import { addMs, dayMs } from "../clock.ts";
import { createContext } from "../context.ts";
import { testCore } from "../testing/test-core.ts";
import {
  acceptOperatorInvite,
  authenticate,
  createSocketTicket,
  getMe,
  inviteOperator,
  listOrganizationIdsAtLocalHour,
  logIn,
  logOut,
  mintMailLink,
  redeemSocketTicket,
  register,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, registerAna, tokenOf, verifiedAna } from "./test-accounts.ts";

const cli = { type: "system", name: "cli" } as const;

test("an invited operator becomes one by the link, once, within a day", async () => {
  await using core = await testCore();
  const ctx = core.ctx.as(cli);
  const invite = await inviteOperator(ctx, { email: "Op@Example.com" });
  expect(invite.url).toMatch(/^http:\/\/portal\.test\/admin\/accept\?token=sewa_a_[\w-]{43}$/);
  expect(await refusal(logIn(core.ctx, { email: "op@example.com", password: "anything at all" }))).toMatchObject({
    code: "INVALID_CREDENTIALS",
  });
  const accept = { token: tokenOf(invite.url), password: "operator horse", name: "Olga" };
  expect(await acceptOperatorInvite(core.ctx, accept)).toEqual({ email: "op@example.com" });
  expect(await refusal(acceptOperatorInvite(core.ctx, accept))).toMatchObject({ code: "TOKEN_INVALID" });
  const { token } = await logIn(core.ctx, { email: "op@example.com", password: accept.password });
  expect(await authenticate(core.ctx, token)).toMatchObject({
    isOperator: true,
    user: { name: "Olga" },
    actor: { type: "user" },
  });
  expect(await core.database.drizzle.select().from(auditEntries)).toMatchObject([
    { action: "operator.invited", actor: "system:cli" },
    { action: "operator.accepted", actor: `user:${invite.userId}` },
    { action: "user.loggedIn" },
  ]);
  expect(JSON.stringify(await core.database.drizzle.select().from(events))).not.toContain(accept.token);
});

test("a new invitation ends the old one, and each ends after a day", async () => {
  await using core = await testCore();
  const first = await inviteOperator(core.ctx.as(cli), { email: "op@example.com" });
  const second = await inviteOperator(core.ctx.as(cli), { email: "op@example.com" });
  expect(second.userId).toBe(first.userId);
  const accept = ({ url }: { url: string }) =>
    acceptOperatorInvite(core.ctx, { token: tokenOf(url), password: "operator horse" });
  expect(await refusal(accept(first))).toMatchObject({ code: "TOKEN_INVALID" });
  core.clock.set(addMs(core.clock.now(), dayMs));
  expect(await refusal(accept(second))).toMatchObject({ code: "TOKEN_INVALID" });
});

test("an account that a stranger opened with the operator's address is worth nothing to the stranger", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const { token } = await logIn(core.ctx, ana);
  const invite = await inviteOperator(core.ctx.as(cli), { email: ana.email });
  expect(await authenticate(core.ctx, token)).toMatchObject({ isOperator: false });
  await acceptOperatorInvite(core.ctx, { token: tokenOf(invite.url), password: "operator horse" });
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  expect(await core.database.drizzle.select().from(users)).toMatchObject([{ name: "Ana", isOperator: true }]);
});

test("nobody but an operator or the house invites operators", async () => {
  await using core = await testCore();
  const user = core.ctx.as({ type: "user", userId: core.ctx.ids.next(), role: "owner" });
  expect(await refusal(inviteOperator(user, { email: "op@example.com" }))).toMatchObject({ code: "FORBIDDEN" });
  expect(await refusal(inviteOperator(core.ctx.as({ type: "anonymous" }), { email: "op@example.com" }))).toMatchObject({
    code: "FORBIDDEN",
  });
  expect(await core.database.drizzle.select().from(users)).toEqual([]);
});

test("every step of an account works with the rights of the server's role", async () => {
  await using core = await testCore();
  await using database = connectDatabase({ url: core.url, role: "sewa_app", max: 2 });
  const ctx = createContext({ ...core.ctx, db: database }, { actor: { type: "anonymous" } });
  await register(ctx, ana);
  await register(ctx, ana);
  const [user] = await core.database.drizzle.select().from(users);
  await verifyEmail(ctx, { token: tokenOf(await mintMailLink(core.ctx, { kind: "verify_email", userId: user!.id })) });
  await requestPasswordReset(ctx, { email: ana.email });
  const reset = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId: user!.id }));
  await resetPassword(ctx, { token: reset, newPassword: ana.password });
  const { token, session } = await logIn(ctx, ana);
  const home = await authenticate(ctx, token);
  const bound = ctx.as(home!.actor).forOrganization(home!.organizationId);
  const { ticket } = await createSocketTicket(bound, { sessionId: session.id, userId: user!.id });
  const found = await redeemSocketTicket(ctx, ticket);
  expect(await getMe(bound, user!.id)).toMatchObject({
    organization: { id: found!.organizationId },
    testClockNow: null,
  });
  await logOut(ctx, { token });
  expect(await core.database.drizzle.$count(sessions)).toBe(0);
});

test("organizations are found by the hour on their own wall clock; those on a test clock are left out", async () => {
  await using core = await testCore();
  await registerAna(core);
  const all = await core.database.drizzle.select({ id: organizations.id }).from(organizations);
  // The test's clock stands at ten in Jakarta.
  expect(await listOrganizationIdsAtLocalHour(core.ctx, 10)).toEqual(all.map(({ id }) => id));
  expect(await listOrganizationIdsAtLocalHour(core.ctx, 3)).toEqual([]);
  await core.database.drizzle.update(organizations).set({ timeZone: "UTC" });
  expect(await listOrganizationIdsAtLocalHour(core.ctx, 3)).toEqual(all.map(({ id }) => id));
  const now = core.clock.now();
  await core.database.drizzle.insert(testClocks).values({ organizationId: all[0]!.id, nowAt: now, targetAt: now });
  expect(await listOrganizationIdsAtLocalHour(core.ctx, 3)).toEqual([]);
});
