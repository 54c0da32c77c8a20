import { identities, users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext, SignInProvider } from "../context.ts";
import { createContext } from "../context.ts";
import { testCore, type TestCore, serverDatabases } from "../testing/test-core.ts";
import { refusal } from "../testing/refusal.ts";
import {
  beginSignIn,
  changePassword,
  completeSignIn,
  deleteExpiredSessionsAndTokens,
  inviteOperator,
  acceptOperatorInvite,
  linkIdentity,
  logIn,
  mintMailLink,
  newSignInBrowser,
  portalAddressOf,
  type ProvenIdentity,
  resetPassword,
  signInWith,
  takeSignIn,
} from "./index.ts";
import { ana, anaWithTotp, codeAt, tokenOf, verifiedAna } from "./test-accounts.ts";

const acme: SignInProvider = { name: "acme", label: "Acme", issuer: "https://acme.test", canConfirm: true };
const budi: ProvenIdentity = {
  issuer: acme.issuer,
  subject: "budi",
  email: "budi@example.com",
  isEmailVerified: true,
  name: "Budi",
  provedAt: null,
};
const device = { ip: "192.0.2.1", userAgent: "test" };

/** With the rights of the server, as nobody. */
function visitor(core: TestCore): CoreContext {
  const db = serverDatabases.get(core.database);
  if (db === undefined) throw new Error("The server has no connection.");
  return createContext({ ...core.ctx, db }, { actor: { type: "anonymous" } });
}

const signIn = (ctx: CoreContext, identity: Partial<ProvenIdentity> = {}) =>
  signInWith(ctx, { identity: { ...budi, ...identity }, locale: "en", ...device });

async function begin(ctx: CoreContext) {
  const browser = newSignInBrowser();
  const { state } = await beginSignIn(ctx, {
    provider: "acme",
    browser,
    returnTo: "/",
    ip: null,
    ticket: null,
    sessionToken: null,
  });
  return { provider: "acme", state, browser, sessionToken: null };
}

test("a way to a provider ends after ten minutes, and of two who come back with it one gets on", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  const [late, once] = [await begin(ctx), await begin(ctx)];
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => takeSignIn(ctx, once)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  core.clock.set(addMs(core.clock.now(), 10 * minuteMs));
  expect(await refusal(takeSignIn(ctx, late))).toMatchObject({ code: "TOKEN_INVALID" });
  expect(await deleteExpiredSessionsAndTokens(core.ctx)).toMatchObject({ attempts: 1 });
  expect(await core.database.drizzle.execute(sql`select 1 from sign_in_attempts`)).toEqual([]);
});

test("the server begins ways to providers and reads none, nor any identity before it is known who comes", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  await begin(ctx);
  await signIn(ctx);
  const { drizzle } = ctx.db;
  await expect(drizzle.execute(sql`select * from sign_in_attempts`)).rejects.toMatchObject({
    cause: { code: "42501" },
  });
  await expect(drizzle.execute(sql`delete from sign_in_attempts`)).rejects.toMatchObject({ cause: { code: "42501" } });
  expect(await drizzle.select().from(identities)).toEqual([]);
  await expect(drizzle.execute(sql`update identities set user_id = gen_random_uuid()`)).rejects.toMatchObject({
    cause: { code: "42501" },
  });
});

test("many who come at once with one identity are one user with one organization", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => signIn(ctx)));
  expect(new Set(outcomes.map((outcome) => (outcome.kind === "signed_in" ? outcome.user.id : null))).size).toBe(1);
  expect(await core.database.drizzle.$count(users)).toBe(1);
  expect(await core.database.drizzle.$count(identities)).toBe(1);
  const [{ organizations } = { organizations: 0 }] = await core.database.drizzle.execute<{ organizations: number }>(
    sql`select count(*)::int as organizations from organizations`,
  );
  expect(organizations).toBe(1);
});

test("of two identities with one address, one is a new user and the other is told that there is an account", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  const outcomes = await Promise.allSettled([signIn(ctx), signIn(ctx, { subject: "another" })]);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const [refused] = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(refused?.reason).toMatchObject({ code: "ACCOUNT_EXISTS" });
  expect(await core.database.drizzle.$count(identities)).toBe(1);
});

test("the same subject at another provider is somebody else", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  await signIn(ctx);
  expect(await refusal(signIn(ctx, { issuer: "https://other.test" }))).toMatchObject({ code: "ACCOUNT_EXISTS" });
});

test("a session counts as confirmed from when the provider saw its user, and not at all where it does not say", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  const confirmedAt = async (outcome: Awaited<ReturnType<typeof signIn>>): Promise<unknown> => {
    const id = outcome.kind === "signed_in" ? outcome.session.id : "";
    const [row] = await core.database.drizzle.execute(sql`select confirmed_at from sessions where id = ${id}`);
    return new Date(String(row?.["confirmed_at"]));
  };
  const now = core.clock.now();
  expect(await confirmedAt(await signIn(ctx))).toEqual(now);
  expect(await confirmedAt(await signIn(ctx))).toEqual(new Date(0));
  const earlier = addMs(now, -5 * minuteMs);
  expect(await confirmedAt(await signIn(ctx, { provedAt: earlier }))).toEqual(earlier);
  expect(await confirmedAt(await signIn(ctx, { provedAt: addMs(now, 60 * minuteMs) }))).toEqual(now);
});

test("names and addresses of a provider are looked at as those of a form are", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  expect(await refusal(signIn(ctx, { email: "budi@example.com\nbcc: x@y.z" }))).toMatchObject({
    code: "INVALID_INPUT",
  });
  expect(await refusal(signIn(ctx, { email: null }))).toMatchObject({ code: "EMAIL_NOT_VERIFIED" });
  for (const [index, name] of ["\u202eidub", "", "x".repeat(101), null].entries()) {
    const outcome = await signIn(ctx, { subject: `s${index}`, email: `n${index}@Example.COM`, name });
    expect(outcome).toMatchObject({ user: { name: `n${index}`, email: `n${index}@example.com` } });
  }
});

test("new accounts by providers count against the limits of sign-up", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const ctx = visitor(core);
  for (let index = 0; index < 30; index += 1)
    await signIn(ctx, { subject: `s${index}`, email: `n${index}@example.com` });
  expect(await refusal(signIn(ctx, { subject: "one-more", email: "more@example.com" }))).toMatchObject({
    code: "RATE_LIMITED",
  });
  expect(await signIn(ctx, { subject: "s0" })).toMatchObject({ kind: "signed_in" });
});

test("half-way in, a new password, however it is set, sends back to the beginning", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const { userId, secret, token, session } = await anaWithTotp(core);
  const ctx = visitor(core);
  await linkIdentity(ctx, { userId, sessionId: session.id, identity: budi });
  const half = async (): Promise<string> => {
    const outcome = await signIn(ctx);
    if (outcome.kind !== "code_required") throw new Error("No code was asked for.");
    return outcome.ticket;
  };
  const next = (): string => {
    core.clock.set(addMs(core.clock.now(), minuteMs));
    return codeAt(secret, core.clock.now());
  };
  expect(token).toMatch(/^sewa_s_/);
  const first = await half();
  const newPassword = "another password";
  const holder = { userId, sessionId: session.id };
  await changePassword(core.ctx, { ...holder, currentPassword: ana.password, newPassword });
  expect(await refusal(completeSignIn(ctx, { ticket: first, code: next(), ...device }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
  const second = await half();
  const link = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await resetPassword(core.ctx, { token: link, newPassword });
  expect(await refusal(completeSignIn(ctx, { ticket: second, code: next(), ...device }))).toMatchObject({
    code: "TOKEN_INVALID",
  });
  const code = next();
  const third = await half();
  const outcomes = await Promise.allSettled([1, 2].map(() => completeSignIn(ctx, { ticket: third, code, ...device })));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("who becomes an operator keeps no identity that was linked before", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const { userId } = await verifiedAna(core);
  const { session } = await logIn(core.ctx, ana);
  await linkIdentity(visitor(core), { userId, sessionId: session.id, identity: budi });
  const { url } = await inviteOperator(core.ctx, { email: ana.email, name: "Ana" });
  await acceptOperatorInvite(core.ctx, { token: tokenOf(url), password: "operate the house" });
  expect(await core.database.drizzle.select().from(identities).where(eq(identities.userId, userId))).toEqual([]);
});

test("how one comes in is written down, and its owner's mail box hears of each change", async () => {
  await using core = await testCore({}, { signInProviders: [acme] });
  const { userId, session } = await anaWithTotp(core);
  const ctx = visitor(core);
  await linkIdentity(ctx, { userId, sessionId: session.id, identity: budi });
  await changePassword(core.ctx, {
    userId,
    sessionId: session.id,
    currentPassword: ana.password,
    newPassword: "another password",
  });
  const mails = await core.database.drizzle.execute<{ kind: string }>(
    sql`select kind from notifications where user_id = ${userId} and kind <> 'verify_email' order by id`,
  );
  expect(mails.map(({ kind }) => kind)).toEqual(["second_factor_changed", "sign_in_added", "password_changed"]);
  expect(core.observed).toContain("user.identityLinked");
});

test.each([
  ["https://p.test", "/a?b#c", "https://p.test/a?b#c"],
  ["https://p.test/app", "/a", "https://p.test/app/a"],
  ["https://p.test/app", "/../a", null],
  ["https://p.test/app", "/%2e%2e/a", null],
  ["https://p.test", "//evil.test", null],
  ["https://p.test", "/\\evil.test", null],
  ["https://p.test", "/.//evil.test", null],
  ["https://p.test", "@evil.test", null],
  ["https://p.test", ".evil.test/", null],
  ["https://p.test", "/a b", null],
  ["https://p.test", "", null],
])("of the portal %s the path %j leads to %j", (base, path, address) => {
  expect(portalAddressOf(base, path)).toBe(address);
});
