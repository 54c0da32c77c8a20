import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createBrowser, type TestBrowser } from "./test-browser.ts";
import { type Person, startTestProvider, type TestProvider } from "./test-provider.ts";
import { createClient, type Customer, portal, startTestHouse, type TestHouse, tokenIn } from "../test-house.ts";
import { mintMailLink } from "@sewa/core";

let house: TestHouse;
let provider: TestProvider;
beforeAll(async () => {
  provider = await startTestProvider();
  const { issuer, clientId, clientSecret } = provider;
  const acme = { kind: "oidc", name: "acme", label: "Acme", canConfirm: true, issuer, clientId, clientSecret } as const;
  house = await startTestHouse({ signIn: [acme] });
  provider.register(`${house.url}/sign-in/acme/callback`);
});
afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

let count = 0;
let person: Person;
beforeEach(() => {
  count += 1;
  person = { subject: `person-${count}`, email: `p${count}@provider.test`, isEmailVerified: true, name: "Ana" };
  provider.person = person;
});

const signIn = (browser: TestBrowser, returnTo = "/instances"): Promise<URL> =>
  browser.follow(`${house.url}/sign-in/acme?returnTo=${encodeURIComponent(returnTo)}`, portal);
/** As far as the address with which the provider sends the browser back, which is not asked for. */
const toCallback = async (browser: TestBrowser): Promise<string> =>
  (await browser.follow(`${house.url}/sign-in/acme?returnTo=/back`, `${house.url}/sign-in/acme/callback`)).href;
const errorOf = (response: Response): string | null =>
  new URL(response.headers.get("location") ?? "").searchParams.get("error");
const tokenOf = (browser: TestBrowser): string | undefined => browser.cookies.get(house.url)?.get("session");
const apiOf = (browser: TestBrowser): Customer["api"] => createClient(house.url, tokenOf(browser) ?? "none");
const usersNamed = (email: string) => house.sql(`select id, password_hash from users where email = '${email}'`);
const identitiesOf = (subject: string) => house.sql(`select user_id from identities where subject = '${subject}'`);

/** A browser in which this customer has logged in with the password. */
function browserOf({ token }: Customer): TestBrowser {
  const browser = createBrowser();
  browser.cookies.set(house.url, new Map([["session", token]]));
  return browser;
}

/** Leads the customer's browser to the provider and back, with the person of this test. */
async function link(customer: Customer, browser = browserOf(customer)): Promise<URL> {
  const { path } = await customer.api.auth.identities.link.mutate({ provider: "acme", returnTo: "/settings" });
  return browser.follow(house.url + path, portal);
}

test("who is new comes in with a proven address and an organization, and comes back as the same from another browser", async () => {
  const browser = createBrowser();
  expect((await signIn(browser)).href).toBe(`${portal}/instances`);
  expect((await apiOf(browser).auth.me.query()).user).toMatchObject({
    email: person.email,
    name: "Ana",
    isEmailVerified: true,
    locale: "en",
  });
  expect(await apiOf(browser).auth.identities.get.query()).toMatchObject({
    hasPassword: false,
    identities: [{ provider: "acme", providerLabel: "Acme", email: person.email }],
  });

  provider.person = { ...person, email: "moved@provider.test", isEmailVerified: false };
  const other = createBrowser();
  expect((await signIn(other)).href).toBe(`${portal}/instances`);
  expect((await apiOf(other).auth.me.query()).user.email).toBe(person.email);
  expect(await identitiesOf(person.subject)).toHaveLength(1);
});

test("the session's cookie is that of a log-in, and the browser's former session ends", async () => {
  const customer = await house.customer();
  const browser = browserOf(customer);
  const response = await browser.get(await toCallback(browser));
  const [session = "", forgotten = ""] = response.headers.getSetCookie();
  expect(session).toMatch(/^session=sewa_s_[\w-]+; Path=\/; Expires=.+; HttpOnly; SameSite=Lax$/);
  expect(forgotten).toMatch(/^sign-in=; .*Expires=Thu, 01 Jan 1970/);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  await expect(customer.api.auth.me.query()).rejects.toMatchObject({ data: { appCode: "UNAUTHORIZED" } });
});

test("the way to the provider says PKCE, state, nonce and the exact address to come back to, and stores hashes alone", async () => {
  const browser = createBrowser();
  const response = await browser.get(`${house.url}/sign-in/acme`);
  const { searchParams: query } = new URL(response.headers.get("location") ?? "");
  expect(Object.fromEntries(query)).toMatchObject({
    response_type: "code",
    code_challenge_method: "S256",
    redirect_uri: `${house.url}/sign-in/acme/callback`,
    scope: "openid email profile",
  });
  const state = query.get("state") ?? "";
  const secret = browser.cookies.get(house.url)?.get("sign-in") ?? "";
  expect(state).toMatch(/^sewa_u_/);
  expect(secret).toMatch(/^sewa_b_/);
  const stored = JSON.stringify(await house.sql("select * from sign_in_attempts"));
  for (const hidden of [state, secret, query.get("nonce") ?? "none"]) expect(stored).not.toContain(hidden);
  expect(response.headers.getSetCookie()[0]).toMatch(/HttpOnly; SameSite=Lax$/);
});

test("who did not set out, comes back twice or with another browser is not let in", async () => {
  const refused = async (browser: TestBrowser, url: string): Promise<void> => {
    expect(errorOf(await browser.get(url))).toBe("attempt_invalid");
    expect(tokenOf(browser)).toBeUndefined();
  };
  const browser = createBrowser();
  const back = await toCallback(browser);
  await refused(createBrowser(), back);
  const other = createBrowser();
  await toCallback(other);
  await refused(other, back);
  await refused(browser, back.replace(/state=sewa_u_.{4}/, "state=sewa_u_AAAA"));
  await refused(browser, back.replace(/state=[^&]+/, "state=x"));
  await refused(browser, `${house.url}/sign-in/acme/callback`);
  expect(await usersNamed(person.email)).toEqual([]);

  // All of that took nothing from the browser that began.
  expect((await browser.get(back)).headers.get("location")).toBe(`${portal}/back`);
  browser.cookies.get(house.url)?.delete("session");
  await refused(browser, back);
});

test("what the portal is come back to is a path of the portal, whatever was asked for", async () => {
  const hostile = [
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https://evil.test/",
    "/\t/evil.test",
    "/%0a\n/x",
    "evil.test",
    "/a\u0000",
    "/.//evil.test",
    `/${"a".repeat(600)}`,
    "javascript:alert(1)",
    "/@evil\r\nset-cookie: a=b",
  ];
  for (const returnTo of hostile) {
    expect({ returnTo, href: (await signIn(createBrowser(), returnTo)).href }).toEqual({
      returnTo,
      href: `${portal}/`,
    });
  }
  expect((await signIn(createBrowser(), "/a/b?c=d#e")).href).toBe(`${portal}/a/b?c=d#e`);
});

test("who says no at the provider is told so in the portal, and has lost nothing", async () => {
  const browser = createBrowser();
  const location = (await browser.get(`${house.url}/sign-in/acme?returnTo=/orders`)).headers.get("location") ?? "";
  const state = new URL(location).searchParams.get("state") ?? "";
  const query = new URLSearchParams({ error: "access_denied", state, iss: provider.issuer });
  const response = await browser.get(`${house.url}/sign-in/acme/callback?${query.toString()}`);
  expect(response.headers.get("location")).toBe(`${portal}/sign-in?returnTo=%2Forders&error=cancelled&provider=acme`);
});

test("an address that the provider does not vouch for makes no account", async () => {
  provider.person = { ...person, isEmailVerified: false };
  const browser = createBrowser();
  expect((await signIn(browser)).searchParams.get("error")).toBe("email_not_verified");
  expect(tokenOf(browser)).toBeUndefined();
  expect(await usersNamed(person.email)).toEqual([]);
});

test("an account with the same address is not taken over, be the address proven to be theirs or not", async () => {
  const customer = await house.customer();
  for (const isEmailVerified of [true, false]) {
    provider.person = { ...person, email: customer.email, isEmailVerified };
    const browser = createBrowser();
    const answer = await signIn(browser);
    expect(answer.searchParams.get("error")).toBe(isEmailVerified ? "account_exists" : "email_not_verified");
    expect(tokenOf(browser)).toBeUndefined();
  }
  expect(await identitiesOf(person.subject)).toEqual([]);
  expect(await customer.api.auth.identities.get.query()).toEqual({ hasPassword: true, identities: [] });
});

test("two who come back at once with one identity are one user", async () => {
  const browsers = [createBrowser(), createBrowser(), createBrowser()];
  const callbacks: string[] = [];
  for (const browser of browsers) callbacks.push(await toCallback(browser));
  const answers = await Promise.all(browsers.map((browser, index) => browser.get(callbacks[index] ?? "")));
  expect(answers.map(({ headers }) => headers.get("location"))).toEqual(browsers.map(() => `${portal}/back`));
  expect(await usersNamed(person.email)).toHaveLength(1);
  const ids = await Promise.all(browsers.map(async (browser) => (await apiOf(browser).auth.me.query()).user.id));
  expect(new Set(ids).size).toBe(1);
});

test("who is logged in links an identity after a proof, hears of it by mail, signs in by it, and unlinks it", async () => {
  const customer = await house.customer();
  expect((await link(customer)).href).toBe(`${portal}/settings`);
  const [identity] = (await customer.api.auth.identities.get.query()).identities;
  expect(identity).toMatchObject({ provider: "acme", email: person.email });
  const mails = await house.sql(
    `select kind, data from notifications n join users u on u.id = n.user_id where u.email = '${customer.email}' and kind like 'sign_in%'`,
  );
  expect(mails).toEqual([{ kind: "sign_in_added", data: { providerLabel: "Acme" } }]);

  const browser = createBrowser();
  await signIn(browser);
  expect((await apiOf(browser).auth.me.query()).user.email).toBe(customer.email);

  // The provider did not say when that was: what cannot be undone is not done with this session.
  const unlink = { identityId: identity?.id ?? "" };
  await expect(apiOf(browser).auth.identities.unlink.mutate(unlink)).rejects.toMatchObject({
    data: { appCode: "CONFIRMATION_REQUIRED" },
  });
  expect(await customer.api.auth.identities.unlink.mutate(unlink)).toEqual({ status: "unlinked" });
  expect((await signIn(createBrowser())).searchParams.get("error")).toBeNull();
  expect((await usersNamed(person.email)).length).toBe(1);
});

test("an identity of one user cannot be linked to another", async () => {
  const [first, second] = [await house.customer(), await house.customer()];
  await link(first);
  const answer = await link(second);
  expect(answer.pathname).toBe("/settings");
  expect(answer.searchParams.get("error")).toBe("identity_taken");
  expect((await second.api.auth.identities.get.query()).identities).toEqual([]);
  expect(await identitiesOf(person.subject)).toHaveLength(1);
  expect((await link(first)).href).toBe(`${portal}/settings`);
});

test("a ticket for linking opens nothing in somebody else's browser, in none, or twice", async () => {
  const [attacker, victim] = [await house.customer("Mallory"), await house.customer("Vic")];
  for (const browser of [browserOf(victim), createBrowser()]) {
    const answer = await link(attacker, browser);
    expect(answer.searchParams.get("error")).toBe("attempt_invalid");
  }
  const browser = browserOf(attacker);
  const { path } = await attacker.api.auth.identities.link.mutate({ provider: "acme", returnTo: "/" });
  await browser.get(house.url + path);
  expect(errorOf(await browser.get(house.url + path))).toBe("attempt_invalid");

  // Set out as one, come back as another.
  const { path: again } = await attacker.api.auth.identities.link.mutate({ provider: "acme", returnTo: "/" });
  const back = await browser.follow(house.url + again, `${house.url}/sign-in/acme/callback`);
  browser.cookies.get(house.url)?.set("session", victim.token);
  expect(errorOf(await browser.get(back.href))).toBe("attempt_invalid");
  expect(await identitiesOf(person.subject)).toEqual([]);
  await expect(
    attacker.api.auth.identities.link.mutate({ provider: "acme", returnTo: "//evil.test" }),
  ).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT", issues: [{ path: "returnTo" }] } });
});

test("nobody unlinks their only way in; with a password set by mail they may", async () => {
  const browser = createBrowser();
  await signIn(browser);
  const { identities } = await apiOf(browser).auth.identities.get.query();
  const unlink = { identityId: identities[0]?.id ?? "" };
  await expect(apiOf(browser).auth.identities.unlink.mutate(unlink)).rejects.toMatchObject({
    data: { appCode: "LAST_WAY_IN", code: "CONFLICT" },
  });

  const visitor = createClient(house.url, null);
  const password = "correct horse battery";
  await expect(visitor.auth.logIn.mutate({ email: person.email, password })).rejects.toMatchObject({
    data: { appCode: "INVALID_CREDENTIALS" },
  });
  expect(await visitor.auth.requestPasswordReset.mutate({ email: person.email })).toEqual({ status: "reset_sent" });
  const [user] = await usersNamed(person.email);
  const mail = await mintMailLink(house.core, { kind: "reset_password", userId: String(user?.["id"]) });
  await visitor.auth.resetPassword.mutate({ token: tokenIn(mail), newPassword: password });
  const { token } = await visitor.auth.logIn.mutate({ email: person.email, password });
  expect(await createClient(house.url, token).auth.identities.unlink.mutate(unlink)).toEqual({ status: "unlinked" });
});

test("who has switched the second factor on is asked for a code, and the ticket is good once", async () => {
  const customer = await house.customer();
  await link(customer);
  const { secret } = await customer.api.auth.totp.begin.mutate();
  const generate = (): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  const { recoveryCodes } = await customer.api.auth.totp.enable.mutate({ code: generate() });

  const browser = createBrowser();
  const page = await signIn(browser, "/orders");
  expect(page.href).toMatch(new RegExp(`^${portal}/sign-in\\?returnTo=%2Forders#ticket=sewa_c_[\\w-]{43}$`));
  expect(tokenOf(browser)).toBeUndefined();
  const ticket = new URLSearchParams(page.hash.slice(1)).get("ticket") ?? "";
  const visitor = createClient(house.url, null);
  await expect(visitor.auth.completeSignIn.mutate({ ticket, code: "000000" })).rejects.toMatchObject({
    data: { appCode: "INVALID_CREDENTIALS", issues: [{ path: "code" }] },
  });
  const [code = "", another = ""] = recoveryCodes;
  const { user, token } = await visitor.auth.completeSignIn.mutate({ ticket, code });
  expect(user.email).toBe(customer.email);
  expect(await createClient(house.url, token).auth.totp.status.query()).toMatchObject({ recoveryCodesLeft: 9 });
  await expect(visitor.auth.completeSignIn.mutate({ ticket, code: another })).rejects.toMatchObject({
    data: { appCode: "TOKEN_INVALID" },
  });
});

test("a suspended user stays out", async () => {
  const [customer, operator] = [await house.customer(), await house.operator()];
  await link(customer);
  const { user } = await customer.api.auth.me.query();
  await operator.api.admin.users.suspend.mutate({ userId: user.id, reason: "Looked at." });
  const browser = createBrowser();
  expect((await signIn(browser)).searchParams.get("error")).toBe("account_suspended");
  expect(tokenOf(browser)).toBeUndefined();
});

test("who has no password proves anew at the provider to be themselves, and as nobody else", async () => {
  const browser = createBrowser();
  await signIn(browser);
  const api = apiOf(browser);
  const age = () => house.sql("update sessions set confirmed_at = confirmed_at - interval '15 minutes'");
  await age();
  const begin = async (): Promise<string> =>
    house.url + (await api.auth.identities.confirm.mutate({ provider: "acme", returnTo: "/danger" })).path;
  const linking = () => api.auth.identities.link.mutate({ provider: "acme", returnTo: "/" });
  await expect(linking()).rejects.toMatchObject({ data: { appCode: "CONFIRMATION_REQUIRED" } });

  provider.person = { ...person, subject: "somebody-else" };
  browser.cookies.delete(provider.issuer);
  const wrong = await browser.follow(await begin(), portal);
  expect([wrong.pathname, wrong.searchParams.get("error")]).toEqual(["/danger", "wrong_account"]);
  await expect(linking()).rejects.toMatchObject({ data: { appCode: "CONFIRMATION_REQUIRED" } });

  provider.person = person;
  browser.cookies.delete(provider.issuer);
  expect((await browser.follow(await begin(), portal)).href).toBe(`${portal}/danger`);
  await linking();
});

test("where no provider is configured there is nothing, and the list of them says so", async () => {
  await using bare = await house.another({ signIn: [] });
  for (const path of ["/sign-in/acme", "/sign-in/acme/callback", "/sign-in/__proto__"]) {
    expect((await fetch(bare.url + path, { redirect: "manual" })).status).toBe(404);
  }
  expect(await createClient(bare.url, null).auth.providers.query()).toEqual({ providers: [] });
  expect(await createClient(house.url, null).auth.providers.query()).toEqual({
    providers: [{ name: "acme", label: "Acme", canConfirm: true }],
  });
  expect((await fetch(`${house.url}/sign-in/other`, { redirect: "manual" })).status).toBe(404);
  expect((await fetch(`${house.url}/sign-in/acme`, { method: "HEAD", redirect: "manual" })).status).toBe(404);
});
