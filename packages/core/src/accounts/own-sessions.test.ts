import { sessions, users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import {
  acceptOperatorInvite,
  authenticate,
  changePassword,
  confirmSession,
  createSocketTicket,
  inviteOperator,
  listSessions,
  logIn,
  mintMailLink,
  operatorSessionHours,
  redeemSocketTicket,
  register,
  requireConfirmation,
  resetPassword,
  revokeOtherSessions,
  revokeSession,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, anaWithTotp, codeAt, tokenOf, verifiedAna } from "./test-accounts.ts";

const firefox = { ip: "192.0.2.1", userAgent: `Firefox\u0007\u00e9 ${"x".repeat(500)}` };

async function anaTwice(core: TestCore) {
  const { userId } = await verifiedAna(core);
  const [mine, other] = [await logIn(core.ctx, { ...ana, ...firefox }), await logIn(core.ctx, ana)];
  return { userId, mine, other, holder: { userId, sessionId: mine.session.id } };
}

const seenAt = async (core: TestCore, id: string): Promise<Date | undefined> =>
  (await core.database.drizzle.select().from(sessions).where(eq(sessions.id, id)))[0]?.lastSeenAt;

test("a user sees their own sessions: with what and where from, and which one asks", async () => {
  await using core = await testCore();
  const { holder, other } = await anaTwice(core);
  await register(core.ctx, { ...ana, email: "ben@example.com" });
  const { items } = await listSessions(core.ctx, holder);
  expect(items).toMatchObject([
    { userAgent: null, clientAddress: null, isCurrent: false, expiresAt: other.session.expiresAt },
    { clientAddress: "192.0.2.1", isCurrent: true, lastSeenAt: core.clock.now() },
  ]);
  expect(items[1]?.userAgent).toBe(`Firefox ${"x".repeat(192)}`);
  const [first] = (await listSessions(core.ctx, { ...holder, limit: 1 })).items;
  const page = await listSessions(core.ctx, { ...holder, limit: 1 });
  expect(first).toEqual(items[0]);
  expect((await listSessions(core.ctx, { ...holder, cursor: page.nextCursor! })).items).toEqual([items[1]]);
  for (const item of items) expect(JSON.stringify(item)).not.toContain(holder.sessionId);
  expect(await listSessions(core.ctx, { ...holder, userId: core.ctx.ids.next() })).toMatchObject({ items: [] });
  core.clock.set(addMs(core.clock.now(), 15 * dayMs));
  expect(await listSessions(core.ctx, holder)).toMatchObject({ items: [] });
});

test("that a session is in use is written every few minutes, not with every request", async () => {
  await using core = await testCore();
  const { mine } = await anaTwice(core);
  const start = core.clock.now();
  for (const [minutes, written] of [
    [1, 0],
    [4, 0],
    [5, 5],
    [9, 5],
    [11, 11],
  ] as const) {
    core.clock.set(addMs(start, minutes * minuteMs));
    await authenticate(core.ctx, mine.token);
    expect(await seenAt(core, mine.session.id)).toEqual(addMs(start, written * minuteMs));
  }
});

test("a session that has reached its absolute end is not written with every request", async () => {
  await using core = await testCore();
  const { url } = await inviteOperator(core.ctx, { email: ana.email });
  await acceptOperatorInvite(core.ctx, { token: tokenOf(url), password: ana.password });
  const { token, session } = await logIn(core.ctx, ana);
  const end = addMs(core.clock.now(), operatorSessionHours * hourMs);
  expect(session.expiresAt).toEqual(end);
  const [before] = await core.database.drizzle.select().from(sessions);
  core.clock.set(addMs(core.clock.now(), minuteMs));
  expect(await authenticate(core.ctx, token)).toMatchObject({ fresh: false, expiresAt: end, isOperator: true });
  expect(await core.database.drizzle.select().from(sessions)).toEqual([before]);
  core.clock.set(addMs(end, -minuteMs));
  expect(await authenticate(core.ctx, token)).toMatchObject({ expiresAt: end });
  core.clock.set(end);
  expect(await authenticate(core.ctx, token)).toBeNull();
});

test("a session is revoked by its user and by nobody else", async () => {
  await using core = await testCore();
  const { holder, mine, other } = await anaTwice(core);
  const { items } = await listSessions(core.ctx, holder);
  const id = items.find(({ isCurrent }) => !isCurrent)!.id;
  await register(core.ctx, { ...ana, email: "ben@example.com" });
  const [ben] = await core.database.drizzle.select().from(users).where(eq(users.email, "ben@example.com"));
  for (const wrong of [
    { ...holder, id: core.ctx.ids.next() },
    { ...holder, userId: ben!.id, id },
  ]) {
    expect(await refusal(revokeSession(core.ctx, wrong))).toMatchObject({ code: "NOT_FOUND" });
  }
  expect(await authenticate(core.ctx, other.token)).not.toBeNull();
  await revokeSession(core.ctx, { ...holder, id });
  expect(await authenticate(core.ctx, other.token)).toBeNull();
  expect(await authenticate(core.ctx, mine.token)).not.toBeNull();
  expect(await refusal(revokeSession(core.ctx, { ...holder, id }))).toMatchObject({ code: "NOT_FOUND" });
});

test("all others end at once; of two that would end each other, one stays", async () => {
  await using core = await testCore();
  const { userId, holder, mine, other } = await anaTwice(core);
  const both = await Promise.allSettled(
    [mine, other].map(({ session }) => revokeOtherSessions(core.ctx, { userId, sessionId: session.id })),
  );
  expect(both.filter(({ status }) => status === "fulfilled")).toMatchObject([{ value: 1 }]);
  expect(both.filter(({ status }) => status === "rejected")).toMatchObject([{ reason: { code: "UNAUTHORIZED" } }]);
  expect(await core.database.drizzle.select().from(sessions)).toHaveLength(1);
  const left = (await core.database.drizzle.select().from(sessions))[0]!;
  expect(await revokeOtherSessions(core.ctx, { ...holder, sessionId: left.id })).toBe(0);
});

test("who changes the password keeps this session under a new token; all others, tickets and mailed links end", async () => {
  await using core = await testCore();
  const { userId, holder, mine, other } = await anaTwice(core);
  const { ticket } = await createSocketTicket(core.ctx, holder);
  const link = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  const change = { ...holder, currentPassword: ana.password, newPassword: "a new password" };
  expect(await refusal(changePassword(core.ctx, { ...change, currentPassword: "wrong horse" }))).toMatchObject({
    code: "INVALID_CREDENTIALS",
    issues: [{ path: "currentPassword" }],
  });
  expect(await refusal(changePassword(core.ctx, { ...change, newPassword: "short" }))).toMatchObject({
    code: "INVALID_INPUT",
    issues: [{ path: "newPassword" }],
  });
  const [handle] = (await listSessions(core.ctx, holder)).items.filter(({ isCurrent }) => isCurrent);
  const renewed = await changePassword(core.ctx, change);
  expect(renewed.session.expiresAt).toEqual(mine.session.expiresAt);
  for (const { token } of [mine, other]) expect(await authenticate(core.ctx, token)).toBeNull();
  expect(await redeemSocketTicket(core.ctx, ticket)).toBeNull();
  expect(await refusal(resetPassword(core.ctx, { token: link, newPassword: "another one" }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
  expect(await authenticate(core.ctx, renewed.token)).toMatchObject({ user: { id: userId } });
  expect((await listSessions(core.ctx, { userId, sessionId: renewed.session.id })).items).toEqual([handle]);
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  await logIn(core.ctx, { ...ana, password: "a new password" });
  expect(
    await refusal(
      changePassword(core.ctx, { ...change, currentPassword: "a new password", newPassword: "one more password" }),
    ),
  ).toMatchObject({
    code: "UNAUTHORIZED",
  });
});

test("who holds a session guesses the password five times in a quarter of an hour", async () => {
  await using core = await testCore();
  const { holder } = await anaTwice(core);
  const wrong = { ...holder, currentPassword: "wrong horse", newPassword: "a new password" };
  const codes: string[] = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    codes.push((await refusal(changePassword(core.ctx, wrong))).code);
    codes.push((await refusal(confirmSession(core.ctx, { ...holder, password: "wrong horse" }))).code);
  }
  expect(codes).toEqual([...Array.from({ length: 5 }, () => "INVALID_CREDENTIALS"), "RATE_LIMITED"]);
  core.clock.set(addMs(core.clock.now(), 15 * minuteMs));
  await confirmSession(core.ctx, { ...holder, password: ana.password });
});

test("a proof counts for a quarter of an hour, of this session alone, and is renewed by the password", async () => {
  await using core = await testCore();
  const { userId, holder, other } = await anaTwice(core);
  const start = core.clock.now();
  await requireConfirmation(core.ctx, holder);
  core.clock.set(addMs(start, 15 * minuteMs));
  expect(await refusal(requireConfirmation(core.ctx, holder))).toMatchObject({ code: "CONFIRMATION_REQUIRED" });
  for (const proof of [{}, { code: "123456" }]) {
    expect(await refusal(confirmSession(core.ctx, { ...holder, ...proof }))).toMatchObject({ code: "INVALID_INPUT" });
  }
  const until = await confirmSession(core.ctx, { ...holder, password: ana.password });
  expect(until).toEqual(addMs(core.clock.now(), 15 * minuteMs));
  await requireConfirmation(core.ctx, holder);
  expect(await refusal(requireConfirmation(core.ctx, { userId, sessionId: other.session.id }))).toMatchObject({
    code: "CONFIRMATION_REQUIRED",
  });
  const elsewhere = { userId: core.ctx.ids.next(), sessionId: holder.sessionId };
  expect(await refusal(requireConfirmation(core.ctx, elsewhere))).toMatchObject({ code: "UNAUTHORIZED" });
});

test("where the second factor is on, the password proves nothing", async () => {
  await using core = await testCore();
  const { userId, session, secret, recoveryCodes } = await anaWithTotp(core);
  const holder = { userId, sessionId: session.id };
  core.clock.set(addMs(core.clock.now(), 15 * minuteMs));
  expect(await refusal(confirmSession(core.ctx, { ...holder, password: ana.password }))).toMatchObject({
    code: "TOTP_REQUIRED",
  });
  expect(await refusal(requireConfirmation(core.ctx, holder))).toMatchObject({ code: "CONFIRMATION_REQUIRED" });
  const code = codeAt(secret, core.clock.now());
  await confirmSession(core.ctx, { ...holder, code });
  await requireConfirmation(core.ctx, holder);
  expect(await refusal(confirmSession(core.ctx, { ...holder, code }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  await confirmSession(core.ctx, { ...holder, code: recoveryCodes[0] });
});
