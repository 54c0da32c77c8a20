import {
  accountTokens,
  auditEntries,
  events,
  members,
  notifications,
  organizations,
  sessions,
  testClocks,
  users,
} from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import { listJobs } from "../jobs/index.ts";
import { testCore } from "../testing/test-core.ts";
import {
  getMe,
  logIn,
  logOut,
  mintMailLink,
  register,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
  authenticate,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, registerAna, tokenOf, verifiedAna } from "./test-accounts.ts";

test("registering makes a user, its organization and one mail, and stores neither password nor token", async () => {
  await using core = await testCore();
  expect(await register(core.ctx, { ...ana, email: "  Ana@Example.COM " })).toEqual({ status: "verification_sent" });
  const db = core.database.drizzle;
  const [user] = await db.select().from(users);
  expect(user).toMatchObject({
    email: "ana@example.com",
    name: "Ana",
    locale: "en",
    isOperator: false,
    emailVerifiedAt: null,
  });
  expect(user!.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await db.select().from(organizations)).toMatchObject([{ name: "Ana", timeZone: "Asia/Jakarta" }]);
  expect(await db.select().from(testClocks)).toEqual([]);
  const mails = await db.select().from(notifications);
  expect(mails).toMatchObject([{ kind: "verify_email", userId: user!.id, status: "queued", data: {} }]);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ task: "mail:send", key: `mail:send:${mails[0]!.id}` }]);
  expect(await db.select().from(events)).toMatchObject([{ type: "user.registered", sequence: 1 }]);
  expect(await db.select().from(auditEntries)).toMatchObject([{ action: "user.registered", subjectId: user!.id }]);
  expect(core.observed).toEqual(["user.registered"]);
  expect(JSON.stringify([await db.select().from(events), mails, await db.select().from(auditEntries)])).not.toContain(
    ana.password,
  );
});

test("a new organization lives on a test clock where the house says so", async () => {
  await using core = await testCore({ testClocks: true });
  const { userId } = await verifiedAna(core);
  const [member] = await core.database.drizzle.select().from(members);
  const { user, testClockNow, organization } = await getMe(core.ctx.forOrganization(member!.organizationId), userId);
  expect(user).toMatchObject({ email: ana.email, isEmailVerified: true });
  expect(organization).toMatchObject({ name: "Ana", timeZone: "Asia/Jakarta" });
  expect(testClockNow).toEqual(core.clock.now());
});

test("B25 a taken address is answered like a free one; nothing is made and its owner is told once a day", async () => {
  await using core = await testCore();
  const first = await registerAna(core);
  const before = await core.database.drizzle.select().from(users);
  const second = await register(core.ctx, {
    ...ana,
    email: "ANA@example.com",
    password: "another password",
    name: "Eve",
  });
  const third = await register(core.ctx, { ...ana, name: "Eve" });
  expect([second, third]).toEqual([first.answer, first.answer]);
  expect(await core.database.drizzle.select().from(users)).toEqual(before);
  const kinds = (await core.database.drizzle.select().from(notifications)).map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual(["register_attempt", "verify_email"]);
  core.clock.set(addMs(core.clock.now(), 24 * hourMs));
  await register(core.ctx, ana);
  expect(await core.database.drizzle.select().from(notifications)).toHaveLength(3);
});

test("two who register one address at once get one account", async () => {
  await using core = await testCore();
  const answers = await Promise.all([register(core.ctx, ana), register(core.ctx, { ...ana, name: "Eve" })]);
  expect(answers).toEqual([{ status: "verification_sent" }, { status: "verification_sent" }]);
  expect(await core.database.drizzle.select().from(users)).toHaveLength(1);
  expect(await core.database.drizzle.select().from(organizations)).toHaveLength(1);
});

test("B31 a verification link works once, for a day, and only by its token", async () => {
  await using core = await testCore();
  const { userId } = await registerAna(core);
  const link = await mintMailLink(core.ctx, { kind: "verify_email", userId });
  expect(link).toMatch(/^http:\/\/portal\.test\/verify-email\?token=sewa_v_[\w-]{43}$/);
  const [row] = await core.database.drizzle.select().from(accountTokens);
  expect(row!.id).toMatch(/^[0-9a-f]{64}$/);
  const ctx = core.ctx.as({ type: "anonymous" });
  for (const wrong of [
    row!.id,
    `sewa_v_${row!.id.slice(0, 43)}`,
    tokenOf(link).replace("sewa_v_", "sewa_r_"),
    "x".repeat(10_000),
  ]) {
    expect(await refusal(verifyEmail(ctx, { token: wrong }))).toMatchObject({ code: "TOKEN_INVALID" });
  }
  expect(await verifyEmail(ctx, { token: tokenOf(link) })).toEqual({ status: "verified" });
  expect(await refusal(verifyEmail(ctx, { token: tokenOf(link) }))).toMatchObject({ code: "TOKEN_INVALID" });
  const provenAt = core.clock.now();
  const late = await mintMailLink(core.ctx, { kind: "verify_email", userId });
  const second = await mintMailLink(core.ctx, { kind: "verify_email", userId });
  core.clock.set(addMs(core.clock.now(), minuteMs));
  await verifyEmail(ctx, { token: tokenOf(second) });
  expect(await core.database.drizzle.select().from(users)).toMatchObject([{ emailVerifiedAt: provenAt }]);
  core.clock.set(addMs(core.clock.now(), 24 * hourMs));
  expect(await refusal(verifyEmail(ctx, { token: tokenOf(late) }))).toMatchObject({ code: "TOKEN_INVALID" });
  expect(core.observed).toEqual(["user.registered", "user.emailVerified"]);
});

test("of two who use one link at the same time, one is refused", async () => {
  await using core = await testCore();
  const { userId } = await registerAna(core);
  const token = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  const results = await Promise.allSettled(
    ["first new password", "second new password"].map((newPassword) => resetPassword(core.ctx, { token, newPassword })),
  );
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
});

test("B33 a reset ends all sessions, changes the password, proves the address and works once", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const { token: session } = await logIn(core.ctx, ana);
  expect(await requestPasswordReset(core.ctx, { email: ana.email })).toEqual({ status: "reset_sent" });
  const token = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await core.database.drizzle.update(users).set({ emailVerifiedAt: null });
  expect(await refusal(resetPassword(core.ctx, { token, newPassword: "short" }))).toMatchObject({
    code: "INVALID_INPUT",
    issues: [{ path: "newPassword" }],
  });
  expect(await resetPassword(core.ctx, { token, newPassword: "a new password" })).toEqual({ status: "password_reset" });
  expect(await authenticate(core.ctx, session)).toBeNull();
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  expect((await logIn(core.ctx, { ...ana, password: "a new password" })).user.isEmailVerified).toBe(true);
  expect(await refusal(resetPassword(core.ctx, { token, newPassword: "a third password" }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
});

test("B33 asking for a reset answers the same for an unknown address, and its link lives an hour or until the next request", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const answers = [
    await requestPasswordReset(core.ctx, { email: ana.email }),
    await requestPasswordReset(core.ctx, { email: "nobody@example.com" }),
  ];
  expect(answers[0]).toEqual(answers[1]);
  const resets = () =>
    core.database.drizzle.select().from(notifications).where(eq(notifications.kind, "reset_password"));
  expect(await resets()).toHaveLength(1);
  const first = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  // Too soon for another mail, so the link that was mailed stays good.
  await requestPasswordReset(core.ctx, { email: ana.email });
  expect(await resets()).toHaveLength(1);
  expect(
    await core.database.drizzle.select().from(accountTokens).where(eq(accountTokens.kind, "reset_password")),
  ).toHaveLength(1);
  core.clock.set(addMs(core.clock.now(), 5 * minuteMs));
  await requestPasswordReset(core.ctx, { email: ana.email });
  expect(await resets()).toHaveLength(2);
  expect(await refusal(resetPassword(core.ctx, { token: first, newPassword: "a new password" }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
  const second = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  core.clock.set(addMs(core.clock.now(), hourMs));
  expect(await refusal(resetPassword(core.ctx, { token: second, newPassword: "a new password" }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
});

test("logging out ends this session only, and twice is no harm", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const here = await logIn(core.ctx, ana);
  const there = await logIn(core.ctx, ana);
  await logOut(core.ctx, { token: here.token });
  await logOut(core.ctx, { token: here.token });
  expect(await authenticate(core.ctx, here.token)).toBeNull();
  expect(await authenticate(core.ctx, there.token)).toMatchObject({ user: { email: ana.email } });
  expect(core.observed.filter((type) => type === "user.loggedOut")).toHaveLength(1);
});
