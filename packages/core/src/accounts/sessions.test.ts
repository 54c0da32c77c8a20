import { accountTokens, sessions, users } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import { testCore } from "../testing/test-core.ts";
import {
  authenticate,
  createSocketTicket,
  deleteExpiredSessionsAndTokens,
  logIn,
  logOut,
  readSession,
  redeemSocketTicket,
  sessionIdleDays,
  sessionMaxDays,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, verifiedAna } from "./test-accounts.ts";

test("only the hash of a session's token is stored, and the hash does not open the session", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const { token, session, user } = await logIn(core.ctx, ana);
  expect(token).toMatch(/^sewa_s_[\w-]{43}$/);
  expect(user).toMatchObject({ id: userId, email: ana.email });
  const rows = await core.database.drizzle.select().from(sessions);
  expect(rows).toMatchObject([{ id: session.id, userId, expiresAt: session.expiresAt }]);
  expect(JSON.stringify(rows)).not.toContain(token.slice("sewa_s_".length));
  const found = await authenticate(core.ctx, token);
  expect(found).toMatchObject({
    sessionId: session.id,
    user: { id: userId },
    actor: { type: "user", userId, role: "owner" },
    isOperator: false,
    fresh: false,
  });
  expect(Object.keys(found!.user)).not.toContain("passwordHash");
  for (const wrong of [
    session.id,
    `sewa_s_${session.id.slice(0, 43)}`,
    token.slice(0, -1),
    `${token}x`,
    "' or 1=1 --",
    "x".repeat(10_000),
  ]) {
    expect(await authenticate(core.ctx, wrong)).toBeNull();
  }
});

test("a session that is used slides on, one that is not ends", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const start = core.clock.now();
  const { token } = await logIn(core.ctx, ana);
  core.clock.set(addMs(start, (sessionIdleDays / 2) * dayMs - minuteMs));
  expect(await authenticate(core.ctx, token)).toMatchObject({ fresh: false });
  core.clock.set(addMs(start, (sessionIdleDays / 2) * dayMs + minuteMs));
  const slid = await authenticate(core.ctx, token);
  expect(slid).toMatchObject({ fresh: true });
  // Lucia asks the machine for the time once more than we do: a difference below a minute is all that may come of it.
  const end = addMs(core.clock.now(), sessionIdleDays * dayMs).getTime();
  expect(Math.abs(slid!.expiresAt.getTime() - end)).toBeLessThan(minuteMs);
  core.clock.set(addMs(start, (sessionIdleDays + 1) * dayMs));
  expect(await authenticate(core.ctx, token)).not.toBeNull();
  core.clock.set(addMs(core.clock.now(), (sessionIdleDays + 1) * dayMs));
  expect(await authenticate(core.ctx, token)).toBeNull();
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
});

test("a session ends for good at its absolute end, however often it is used", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const start = core.clock.now();
  const end = addMs(start, sessionMaxDays * dayMs);
  const { token } = await logIn(core.ctx, ana);
  for (let day = 5; day < sessionMaxDays; day += 5) {
    core.clock.set(addMs(start, day * dayMs));
    const found = await authenticate(core.ctx, token);
    expect(found, `day ${day}`).not.toBeNull();
    expect(found!.expiresAt.getTime()).toBeLessThanOrEqual(end.getTime());
  }
  core.clock.set(addMs(end, minuteMs));
  expect(await authenticate(core.ctx, token)).toBeNull();
});

test("B35 a suspended user is refused with a living session", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const { token } = await logIn(core.ctx, ana);
  await core.database.drizzle.update(users).set({ suspendedAt: core.clock.now() });
  expect(await refusal(authenticate(core.ctx, token))).toMatchObject({ code: "ACCOUNT_SUSPENDED" });
});

test("a socket ticket opens its session once, within a minute", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const { session, token } = await logIn(core.ctx, ana);
  const give = () => createSocketTicket(core.ctx, { sessionId: session.id, userId });
  const first = await give();
  expect(first.ticket).toMatch(/^sewa_t_[\w-]{43}$/);
  expect(first.expiresAt).toEqual(addMs(core.clock.now(), minuteMs));
  const both = await Promise.all([
    redeemSocketTicket(core.ctx, first.ticket),
    redeemSocketTicket(core.ctx, first.ticket),
  ]);
  expect(both.filter((found) => found !== null)).toMatchObject([{ sessionId: session.id, user: { id: userId } }]);
  expect(await redeemSocketTicket(core.ctx, token)).toBeNull();
  expect(await authenticate(core.ctx, (await give()).ticket)).toBeNull();
  const late = await give();
  core.clock.set(addMs(core.clock.now(), minuteMs));
  expect(await redeemSocketTicket(core.ctx, late.ticket)).toBeNull();
  const orphan = await give();
  expect(await readSession(core.ctx, session.id, null)).toMatchObject({ user: { id: userId } });
  await logOut(core.ctx, { token });
  expect(await readSession(core.ctx, session.id, null)).toBeNull();
  expect(await redeemSocketTicket(core.ctx, orphan.ticket)).toBeNull();
  expect(await refusal(give())).toMatchObject({ code: "UNAUTHORIZED" });
});

test("nobody gets a ticket for the session of another user", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const { session } = await logIn(core.ctx, ana);
  const input = { sessionId: session.id, userId: core.ctx.ids.next() };
  expect(await refusal(createSocketTicket(core.ctx, input))).toMatchObject({ code: "UNAUTHORIZED" });
  expect(await core.database.drizzle.select().from(accountTokens)).toMatchObject([{ kind: "verify_email" }]);
});

test("the clean-up deletes what has ended and leaves what lives", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const old = await logIn(core.ctx, ana);
  await createSocketTicket(core.ctx, { sessionId: old.session.id, userId });
  expect(await deleteExpiredSessionsAndTokens(core.ctx)).toEqual({ sessions: 0, tokens: 0, attempts: 0 });
  core.clock.set(addMs(core.clock.now(), sessionIdleDays * dayMs + minuteMs));
  const young = await logIn(core.ctx, ana);
  const deleted = await deleteExpiredSessionsAndTokens(core.ctx);
  // The verification link and the ticket.
  expect(deleted).toMatchObject({ sessions: 1, tokens: 2 });
  expect(deleted.attempts).toBeGreaterThan(0);
  expect(await core.database.drizzle.select({ id: sessions.id }).from(sessions)).toEqual([{ id: young.session.id }]);
  expect(await authenticate(core.ctx, young.token)).not.toBeNull();
});
