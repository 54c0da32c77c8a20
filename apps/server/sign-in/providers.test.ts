import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createServerLog } from "../log.ts";
import { createClient, portal, startTestHouse, type TestHouse } from "../test-house.ts";
import { githubSettings } from "./settings.ts";
import { createBrowser, type TestBrowser } from "./test-browser.ts";
import { type Forger, type Forgery, startForger } from "./test-forger.ts";
import { startTestGithub, type TestGithub } from "./test-github.ts";

const clientSecret = "secret-of-the-house-at-the-forger";
let house: TestHouse;
let forger: Forger;
let github: TestGithub;
let written = "";
beforeAll(async () => {
  forger = await startForger("sewa");
  github = await startTestGithub();
  const { issuer } = forger;
  const sink = new PassThrough();
  sink.on("data", (chunk: Buffer) => (written += chunk.toString()));
  house = await startTestHouse({
    log: createServerLog({ level: "trace" }, sink),
    signIn: [
      { kind: "oidc", name: "forger", label: "Forger", canConfirm: true, issuer, clientId: "sewa", clientSecret },
      githubSettings({ clientId: "sewa", clientSecret: github.clientSecret }, github.url),
    ],
  });
});
afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
  await Promise.all([forger?.[Symbol.asyncDispose](), github?.[Symbol.asyncDispose]()]);
});
beforeEach(() => {
  forger.forgery = {};
});

/** As if somebody had logged in at the forger: the browser comes back with a code. Answers where it is led. */
async function comeBack(
  server: string,
  browser: TestBrowser,
  answer: Readonly<Record<string, string>> = {},
): Promise<URL> {
  const out = await browser.get(`${server}/sign-in/forger?returnTo=/kept`);
  const way = new URL(out.headers.get("location") ?? "");
  if (way.origin !== forger.issuer) return way;
  forger.nonce = way.searchParams.get("nonce") ?? "";
  const state = way.searchParams.get("state") ?? "";
  const query = new URLSearchParams({ code: "c", state, ...answer });
  const response = await browser.get(`${server}/sign-in/forger/callback?${query.toString()}`);
  expect(response.status).toBe(302);
  return new URL(response.headers.get("location") ?? "");
}

test("a token that is as it has to be lets in", async () => {
  expect((await comeBack(house.url, createBrowser())).href).toBe(`${portal}/kept`);
});

const forged: readonly (readonly [string, Forgery])[] = [
  ["another issuer", { claims: { iss: "https://accounts.google.com" } }],
  ["another audience", { claims: { aud: "another" } }],
  ["several audiences, authorized for another", { claims: { aud: ["sewa", "another"], azp: "another" } }],
  ["another nonce", { claims: { nonce: "another" } }],
  ["no nonce", { claims: { nonce: undefined } }],
  ["an end that is over", { claims: { exp: 1_000 } }],
  ["no subject", { claims: { sub: undefined } }],
  ["another key", { isSignedByAnother: true }],
];

test.each(forged)("a token with %s lets nobody in", async (_, forgery) => {
  forger.forgery = forgery;
  const browser = createBrowser();
  const page = await comeBack(house.url, browser);
  expect(page.href).toBe(`${portal}/sign-in?returnTo=%2Fkept&error=identity_invalid&provider=forger`);
  expect(browser.cookies.get(house.url)?.has("session")).toBe(false);
});

test("an answer that names another issuer, or an error that nobody knows, lets nobody in", async () => {
  const answers = [{ iss: "https://evil.test" }, { error: "<script>", error_description: "x".repeat(3_000) }];
  const errors = [];
  for (const answer of answers)
    errors.push((await comeBack(house.url, createBrowser(), answer)).searchParams.get("error"));
  expect(errors).toEqual(["identity_invalid", "provider_refused"]);
});

const end = (status: number, body: string) => (response: ServerResponse) =>
  void response.writeHead(status, { "content-type": "application/json" }).end(body);
const broken: readonly (readonly [string, Forgery["instead"], string])[] = [
  ["is down", { "/token": (response) => void response.destroy() }, "provider_unavailable"],
  ["fails", { "/token": end(503, "{}") }, "provider_unavailable"],
  ["answers garbage", { "/token": end(200, "<html>") }, "identity_invalid"],
  ["answers without a token", { "/token": end(200, "{}") }, "identity_invalid"],
  ["refuses the code", { "/token": end(400, '{"error":"invalid_grant"}') }, "identity_invalid"],
  ["answers at great length", { "/token": end(200, `"${"x".repeat(300_000)}"`) }, "provider_unavailable"],
  [
    "sends us somewhere else",
    { "/token": (response) => void response.writeHead(302, { location: "/evil" }).end() },
    "identity_invalid",
  ],
  // Its deadline is ours, not a sleep: the socket stays open until we hang up.
  [
    "never ends its answer",
    { "/token": (response) => void response.writeHead(200).write("{") },
    "provider_unavailable",
  ],
];

test.each(broken)("where the provider %s nothing is lost and nothing breaks", async (_, instead, error) => {
  forger.forgery = { instead: instead ?? {} };
  const page = await comeBack(house.url, createBrowser());
  expect(page.href).toBe(`${portal}/sign-in?returnTo=%2Fkept&error=${error}&provider=forger`);
  forger.forgery = {};
  expect((await comeBack(house.url, createBrowser())).href).toBe(`${portal}/kept`);
});

test("a provider that cannot say where to go is told of, and asked again by the next one", async () => {
  await using fresh = await house.another();
  for (const forgery of [
    { instead: { "/.well-known/openid-configuration": end(500, "") } },
    { metadata: { issuer: "https://evil.test" } },
  ]) {
    forger.forgery = forgery;
    const page = await comeBack(fresh.url, createBrowser());
    expect(page.searchParams.get("error")).toMatch(/^(provider_unavailable|identity_invalid)$/);
    expect(page.searchParams.get("returnTo")).toBe("/kept");
  }
  forger.forgery = {};
  expect((await comeBack(fresh.url, createBrowser())).href).toBe(`${portal}/kept`);
});

test("GitHub lets in who has a verified primary address, under the number that stays and not under the name", async () => {
  const browser = createBrowser();
  const signIn = (who: TestBrowser) => who.follow(`${house.url}/sign-in/github?returnTo=/in`, portal);
  expect((await signIn(browser)).href).toBe(`${portal}/in`);
  const me = async (who: TestBrowser) =>
    (await createClient(house.url, who.cookies.get(house.url)?.get("session") ?? "").auth.me.query()).user;
  const { id } = await me(browser);

  github.user = { ...github.user, login: "renamed" };
  github.emails = [{ email: "other@provider.test", primary: true, verified: false }];
  const same = createBrowser();
  await signIn(same);
  expect((await me(same)).id).toBe(id);

  github.user = { login: "octocat", id: 7, name: null };
  expect((await signIn(createBrowser())).searchParams.get("error")).toBe("email_not_verified");
  github.emails = [
    { email: "seven@provider.test", primary: true, verified: true },
    { email: "octocat@provider.test", primary: false, verified: true },
  ];
  const another = createBrowser();
  await signIn(another);
  expect(await me(another)).toMatchObject({ email: "seven@provider.test", name: "octocat" });

  github.refusal = { error: "bad_verification_code", error_description: "The code is incorrect." };
  expect((await signIn(createBrowser())).searchParams.get("error")).toBe("identity_invalid");
  github.refusal = null;
  github.user = { message: "Something else" };
  expect((await signIn(createBrowser())).searchParams.get("error")).toBe("identity_invalid");
});

test("with GitHub nobody proves anew to be themselves, because it does not say when they did", async () => {
  const { api } = await house.customer();
  await expect(api.auth.identities.confirm.mutate({ provider: "github", returnTo: "/" })).rejects.toMatchObject({
    data: { appCode: "CONFLICT" },
  });
});

test("no secret of any of this was written to the log", () => {
  expect(written).toContain("provider failed a sign-in");
  for (const secret of [clientSecret, github.clientSecret, "gho_16C7", "sewa_u_", "sewa_b_", "sewa_s_", "eyJ"]) {
    expect(written).not.toContain(secret);
  }
});
