import { setTimeout } from "node:timers/promises";
import { attemptCounters, notifications, sessions, users } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, minuteMs } from "../clock.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import { networkOf } from "./attempts.ts";
import { logIn, mintMailLink, register, requestPasswordReset, resetPassword } from "./index.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, registerAna, tokenOf, verifiedAna } from "./test-accounts.ts";

const wrong = { email: ana.email, password: "wrong horse", ip: "192.0.2.1" };

test("a wrong password and an unknown address are refused with the same words", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const known = await refusal(logIn(core.ctx, wrong));
  const unknown = await refusal(logIn(core.ctx, { ...wrong, email: "nobody@example.com" }));
  expect([known.code, known.message]).toEqual(["INVALID_CREDENTIALS", "E-mail or password is wrong."]);
  expect([unknown.code, unknown.message]).toEqual([known.code, known.message]);
  expect(await refusal(logIn(core.ctx, { ...wrong, password: "x".repeat(1_000_000) }))).toMatchObject({
    code: "INVALID_CREDENTIALS",
  });
});

test("B76 an unproven address is told apart only with the right password, and is mailed once in five minutes", async () => {
  await using core = await testCore();
  await registerAna(core);
  core.clock.set(addMs(core.clock.now(), 10 * minuteMs));
  expect(await refusal(logIn(core.ctx, wrong))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  expect(await core.database.drizzle.select().from(notifications)).toHaveLength(1);
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "EMAIL_NOT_VERIFIED" });
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "EMAIL_NOT_VERIFIED" });
  expect(await core.database.drizzle.select().from(notifications)).toMatchObject([
    { kind: "verify_email" },
    { kind: "verify_email" },
  ]);
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
});

test("a suspended user is told so only with the right password", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  await core.database.drizzle.update(users).set({ suspendedAt: core.clock.now() });
  expect(await refusal(logIn(core.ctx, wrong))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "ACCOUNT_SUSPENDED" });
});

test("a log-in that was on its way while the password was changed gets no session", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const newHash = await hashPassword("a new password");
  let loggingIn: Promise<unknown> = Promise.resolve();
  await core.database.drizzle.transaction(async (tx) => {
    await tx.update(users).set({ passwordHash: newHash });
    // The row is not committed yet, so the old password still matches; the session has to wait for it.
    loggingIn = refusal(logIn(core.ctx, ana));
    await untilSomebodyWaits(core);
  });
  expect(await loggingIn).toMatchObject({ code: "INVALID_CREDENTIALS" });
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
});

test("B29 the sixth failure in a quarter of an hour is refused, also with the right password, until time or a reset lifts it", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const right = { ...ana, ip: wrong.ip };
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    expect(await refusal(logIn(core.ctx, wrong))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  }
  const limited = await refusal(logIn(core.ctx, right));
  expect(limited).toMatchObject({ code: "RATE_LIMITED", retryAfterSeconds: 15 * 60 });
  // The owner elsewhere is not locked out by it.
  await logIn(core.ctx, { ...ana, ip: "198.51.100.7" });
  const token = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await resetPassword(core.ctx, { token, newPassword: ana.password });
  await logIn(core.ctx, right);
  for (let attempt = 1; attempt <= 5; attempt += 1) await refusal(logIn(core.ctx, wrong));
  expect(await refusal(logIn(core.ctx, right))).toMatchObject({ code: "RATE_LIMITED" });
  core.clock.set(addMs(core.clock.now(), 15 * minuteMs));
  await logIn(core.ctx, right);
});

test("many guesses at once do not slip past the limit, and log-ins that succeed are not counted", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  for (let attempt = 1; attempt <= 8; attempt += 1) await logIn(core.ctx, { ...ana, ip: wrong.ip });
  const codes = await Promise.all(Array.from({ length: 12 }, async () => (await refusal(logIn(core.ctx, wrong))).code));
  expect(codes.filter((code) => code === "INVALID_CREDENTIALS")).toHaveLength(5);
  expect(codes.filter((code) => code === "RATE_LIMITED")).toHaveLength(7);
});

test("one network cannot try many accounts, and one account cannot be tried from many networks", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const spread = await Promise.all(
    Array.from(
      { length: 51 },
      async (_, index) => (await refusal(logIn(core.ctx, { ...wrong, ip: `198.51.100.${index}` }))).code,
    ),
  );
  expect(spread.filter((code) => code === "RATE_LIMITED")).toHaveLength(1);
  const codes: string[] = [];
  for (let index = 0; index < 101; index += 1) {
    codes.push(
      (await refusal(logIn(core.ctx, { ...wrong, email: `user${index}@example.com`, ip: "2001:db8::7" }))).code,
    );
  }
  expect(codes.indexOf("RATE_LIMITED")).toBe(100);
  expect(
    await refusal(logIn(core.ctx, { ...wrong, email: "other@example.com", ip: "2001:db8:0:0:ffff::1" })),
  ).toMatchObject({ code: "RATE_LIMITED" });
});

test("registering and asking for resets are limited, for free and taken addresses alike, and no counter names an address", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  const tries = async (email: string, act: (email: string) => Promise<unknown>) => {
    const outcomes = await Promise.allSettled(Array.from({ length: 7 }, () => act(email)));
    return outcomes.filter(({ status }) => status === "rejected").length;
  };
  const again = (email: string) => register(core.ctx, { ...ana, email });
  const reset = (email: string) => requestPasswordReset(core.ctx, { email });
  // Ana has registered once before.
  expect([await tries(ana.email, again), await tries("free@example.com", again)]).toEqual([3, 2]);
  expect([await tries(ana.email, reset), await tries("nobody@example.com", reset)]).toEqual([2, 2]);
  const keys = (await core.database.drizzle.select().from(attemptCounters)).map(({ key }) => key);
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(key).toMatch(/^[a-z.]+(:[0-9a-f]{64}){1,2}$/);
});

test("addresses of one IPv6 customer count as one, mapped IPv4 as IPv4", () => {
  expect(networkOf("2001:db8::1")).toBe("2001:0db8:0000:0000::/64");
  expect(networkOf("2001:DB8:0:0:1:2:3:4")).toBe(networkOf("2001:db8::1"));
  expect(networkOf("::1")).toBe("0000:0000:0000:0000::/64");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0000:0000:0000::/64");
  expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf(null)).toBe("unknown");
});

test("a password matches its own hash in both Unicode forms, and nothing matches a missing hash", async () => {
  const hash = await hashPassword("caf\u00e9 au lait");
  expect(await verifyPassword(hash, "cafe\u0301 au lait")).toBe(true);
  expect(await verifyPassword(hash, "cafe au lait")).toBe(false);
  expect(await verifyPassword(null, "nobody")).toBe(false);
});

test("W11 a password is hashed beside the event loop, which goes on turning", async () => {
  let turns = 0;
  let isDone = false;
  const turning = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
  })();
  await hashPassword("correct horse").finally(() => (isDone = true));
  await turning;
  expect(turns).toBeGreaterThan(1);
});

test("W11 B30 a flood of hashes is served in turns and turned away beyond a bound; afterwards all is as before", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 80 }, () => hashPassword("correct horse")));
  const refused = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
  expect(refused).toHaveLength(16);
  for (const reason of refused) expect(reason).toMatchObject({ code: "RATE_LIMITED", retryAfterSeconds: 1 });
  const again = await Promise.all(Array.from({ length: 64 }, () => hashPassword("correct horse")));
  expect(new Set(again).size).toBe(64);
});

/** Until a query of this database waits for a lock; ten seconds at most. */
async function untilSomebodyWaits(core: TestCore): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const waiting = await core.database.drizzle.execute(
      sql`select 1 from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted`,
    );
    if (waiting.length > 0) return;
    await setTimeout(20);
  }
  throw new Error("Nobody waited for a lock.");
}
