import { attemptCounters, recoveryCodes, secondFactors, sessions } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { addMs, dayMs, minuteMs, secondMs } from "../clock.ts";
import { testCore } from "../testing/test-core.ts";
import {
  authenticate,
  beginTotp,
  disableTotp,
  enableTotp,
  getTotpStatus,
  logIn,
  mintMailLink,
  renewRecoveryCodes,
  resetPassword,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, anaWithTotp, codeAt, tokenOf, verifiedAna } from "./test-accounts.ts";
import { counterOf, newRecoveryCodes, newTotpSecret, toOtpauthUri } from "./totp.ts";

const interval = 30 * secondMs;
/** Of RFC 6238, appendix B, in Base32; its codes of eight digits end in ours of six. */
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
])("at %d seconds the code of the RFC is %s, and it counts one interval before and after", (seconds, code) => {
  const counter = Math.floor(seconds / 30);
  const at = (intervals: number): Date => new Date(seconds * secondMs + intervals * interval);
  expect([-2, -1, 0, 1, 2].map((drift) => counterOf(rfcSecret, code, at(drift)))).toEqual([
    null,
    counter,
    counter,
    counter,
    null,
  ]);
});

test("a secret is of 160 bits, an app can read it, and no two recovery codes are alike", () => {
  const secret = newTotpSecret();
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  const uri = new URL(toOtpauthUri(secret, "ana@example.com"));
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
    "otpauth:",
    "totp",
    "/Sewa:ana@example.com",
  ]);
  expect(Object.fromEntries(uri.searchParams)).toMatchObject({ secret, issuer: "Sewa", digits: "6", period: "30" });
  expect(new Set(newRecoveryCodes()).size).toBe(10);
  for (const code of newRecoveryCodes()) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
});

test("a secret that nobody has shown a code of changes nothing, and a wrong code does not switch it on", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const holder = { userId, sessionId: (await logIn(core.ctx, ana)).session.id };
  expect(await refusal(enableTotp(core.ctx, { ...holder, code: "123456" }))).toMatchObject({ code: "CONFLICT" });
  const first = await beginTotp(core.ctx, holder);
  const second = await beginTotp(core.ctx, holder);
  await logIn(core.ctx, ana);
  const now = core.clock.now();
  for (const code of [codeAt(first.secret, now), codeAt(second.secret, addMs(now, -2 * interval)), "", "abcdef"]) {
    expect(await refusal(enableTotp(core.ctx, { ...holder, code }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  }
  expect(await getTotpStatus(core.ctx, holder)).toEqual({ enabledAt: null, recoveryCodesLeft: 0 });
  const [row] = await core.database.drizzle.select().from(secondFactors);
  expect(row).toMatchObject({ userId, enabledAt: null });
  expect(JSON.stringify(row)).not.toContain(second.secret);
});

test("switched on, it renews the session, ends the others, and log-in asks for a code", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const [mine, other] = [await logIn(core.ctx, ana), await logIn(core.ctx, ana)];
  const holder = { userId, sessionId: mine.session.id };
  const { secret } = await beginTotp(core.ctx, holder);
  const enabled = await enableTotp(core.ctx, { ...holder, code: codeAt(secret, core.clock.now()) });
  expect(enabled.recoveryCodes).toHaveLength(10);
  expect(enabled.session.expiresAt).toEqual(mine.session.expiresAt);
  expect(await authenticate(core.ctx, mine.token)).toBeNull();
  expect(await authenticate(core.ctx, other.token)).toBeNull();
  expect(await authenticate(core.ctx, enabled.token)).toMatchObject({ user: { id: userId } });
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "TOTP_REQUIRED" });
  expect(await refusal(logIn(core.ctx, { ...ana, password: "wrong horse" }))).toMatchObject({
    code: "INVALID_CREDENTIALS",
  });
  expect(await refusal(beginTotp(core.ctx, { userId, sessionId: enabled.session.id }))).toMatchObject({
    code: "CONFLICT",
  });
  expect(await core.database.drizzle.select().from(sessions)).toHaveLength(1);
});

test("a code is good once, also for two who come with it at once, and none that is older than the last", async () => {
  await using core = await testCore();
  const { secret } = await anaWithTotp(core);
  const start = core.clock.now();
  const code = codeAt(secret, start);
  expect(await refusal(logIn(core.ctx, { ...ana, code }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  core.clock.set(addMs(start, 2 * interval));
  const next = codeAt(secret, core.clock.now());
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, (_, index) => logIn(core.ctx, { ...ana, code: next, ip: `192.0.2.${index}` })),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  expect(refused).toHaveLength(3);
  for (const reason of refused) expect(reason).toMatchObject({ code: "INVALID_CREDENTIALS" });
  const before = codeAt(secret, addMs(start, interval));
  expect(await refusal(logIn(core.ctx, { ...ana, code: before }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  // A telephone that is ahead by less than one interval.
  await logIn(core.ctx, { ...ana, code: codeAt(secret, addMs(start, 3 * interval)) });
});

test("each recovery code logs in once, however it is typed, and new ones end the old", async () => {
  await using core = await testCore();
  const { userId, session, recoveryCodes: codes } = await anaWithTotp(core);
  const [first = "", second = "", third = ""] = codes;
  await logIn(core.ctx, { ...ana, code: ` ${first.toUpperCase().replaceAll("-", " ")}` });
  expect(await refusal(logIn(core.ctx, { ...ana, code: first }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  const twice = [1, 2].map((host) => logIn(core.ctx, { ...ana, code: second, ip: `192.0.2.${host}` }));
  expect((await Promise.allSettled(twice)).filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const holder = { userId, sessionId: session.id };
  expect(await getTotpStatus(core.ctx, holder)).toMatchObject({ recoveryCodesLeft: 8 });
  const [fresh = ""] = await renewRecoveryCodes(core.ctx, holder);
  expect(await refusal(logIn(core.ctx, { ...ana, code: third }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  await logIn(core.ctx, { ...ana, code: fresh });
  expect(core.observed.filter((type) => type === "user.recoveryCodeUsed")).toHaveLength(3);
  const stored = await core.database.drizzle.select().from(recoveryCodes);
  for (const code of codes) expect(JSON.stringify(stored)).not.toContain(code);
});

test("wrong codes run into the limits of log-in and one of their own, which a new password by mail lifts", async () => {
  await using core = await testCore();
  const { userId, secret } = await anaWithTotp(core);
  const from = (host: number) => ({ ...ana, ip: `198.51.100.${host}` });
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    expect(await refusal(logIn(core.ctx, { ...from(1), code: "000000" }))).toMatchObject({
      code: "INVALID_CREDENTIALS",
      issues: [{ path: "code" }],
    });
  }
  expect(await refusal(logIn(core.ctx, from(1)))).toMatchObject({ code: "RATE_LIMITED" });
  for (let host = 2; host <= 16; host += 1) {
    expect(await refusal(logIn(core.ctx, { ...from(host), code: "000000" }))).toMatchObject({
      code: "INVALID_CREDENTIALS",
    });
  }
  core.clock.set(addMs(core.clock.now(), 20 * minuteMs));
  const right = () => ({ ...from(20), code: codeAt(secret, core.clock.now()) });
  expect(await refusal(logIn(core.ctx, right()))).toMatchObject({ code: "RATE_LIMITED" });
  const token = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await resetPassword(core.ctx, { token, newPassword: ana.password });
  // The mail box alone does not get past the second factor.
  expect(await refusal(logIn(core.ctx, from(20)))).toMatchObject({ code: "TOTP_REQUIRED" });
  await logIn(core.ctx, right());
  core.clock.set(addMs(core.clock.now(), dayMs));
  await logIn(core.ctx, right());
  const keys = (await core.database.drizzle.select().from(attemptCounters)).map(({ key }) => key);
  for (const key of keys) expect(key).not.toContain(userId);
});

test("switched off, the password alone does again, and nothing of the factor is left", async () => {
  await using core = await testCore();
  const { userId, session, token, recoveryCodes: codes } = await anaWithTotp(core);
  const off = await disableTotp(core.ctx, { userId, sessionId: session.id });
  expect(await authenticate(core.ctx, token)).toBeNull();
  expect(await authenticate(core.ctx, off.token)).toMatchObject({ user: { id: userId } });
  expect(await core.database.drizzle.select().from(secondFactors)).toEqual([]);
  expect(await core.database.drizzle.select().from(recoveryCodes)).toEqual([]);
  await logIn(core.ctx, { ...ana, code: codes[0] });
  const holder = { userId, sessionId: off.session.id };
  for (const act of [disableTotp, renewRecoveryCodes]) {
    expect(await refusal(act(core.ctx, holder))).toMatchObject({ code: "CONFLICT" });
  }
});
