import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogClaim, owner, runClaim } from "./testing/claim-job.ts";
import { instance } from "./testing/definitions.ts";
import { type App, type AppState, startApp } from "./testing/unclaimed-app.ts";

// The apps are not ours to install, so stand-ins answer as their servers were seen to answer.

const ghostSetup = z.object({
  setup: z.tuple([
    z.object({ name: z.string(), email: z.email(), password: z.string().min(10), blogTitle: z.literal(instance.name) }),
  ]),
});
const ghost: App = ({ method, path, body, headers }, state, take) => {
  if (path === "/ghost/api/admin/authentication/setup/") {
    if (method === "GET") return { status: 200, body: { setup: [{ status: state.owner !== null }] } };
    const [{ email, password }] = ghostSetup.parse(JSON.parse(body)).setup;
    if (take(email, password)) return { status: 201, body: { users: [{ email }] } };
    return { status: 403, body: { errors: [{ message: "Setup has already been completed." }] } };
  }
  if (path !== "/ghost/api/admin/session/" || headers.origin !== instance.url) return { status: 400 };
  const login = z.object({ username: z.string(), password: z.string() }).parse(JSON.parse(body));
  if (state.owner?.name !== login.username) return { status: 404, body: { errors: [{ type: "NotFoundError" }] } };
  if (state.owner.password !== login.password) return { status: 422, body: { errors: [{ type: "ValidationError" }] } };
  if (state.asksForCode === true) return { status: 403, body: { errors: [{ code: "2FA_TOKEN_REQUIRED" }] } };
  return { status: 201, body: "Created" };
};

const wordpress: App = ({ method, path, body }, state, take) => {
  const form = new URLSearchParams(body);
  const page = (content: string): { status: number; body: string } => ({
    status: 200,
    body: `<body>${content}</body>`,
  });
  if (path.startsWith("/wp-admin/install.php")) {
    if (state.owner !== null && state.open !== true) return page("<h1>Sudah Terpasang</h1>");
    const isComplete =
      form.get("admin_email") === owner.email && form.get("admin_password2") === form.get("admin_password");
    if (method === "POST" && path.endsWith("?step=2") && isComplete)
      if (take(form.get("user_name") ?? "", form.get("admin_password") ?? ""))
        return page('<table class="install-success">');
    return page('<input name="weblog_title">');
  }
  if (path !== "/wp-login.php") return { status: 404 };
  if (form.get("log") !== state.owner?.name || form.get("pwd") !== state.owner?.password) return page("login_error");
  return { status: 302, headers: { "set-cookie": "wordpress_logged_in_0a=admin; path=/", location: "/wp-admin/" } };
};

const n8n: App = ({ path, body }, state, take) => {
  if (path === "/rest/owner/setup") {
    const password = z.string().min(8).max(64).regex(/\d/).regex(/[A-Z]/);
    const name = z.string().min(1);
    const setup = z.object({ email: z.email(), firstName: name, lastName: name, password }).parse(JSON.parse(body));
    if (take(setup.email, setup.password)) return { status: 200, body: { data: { email: setup.email } } };
    return { status: 400, body: { code: 400, message: "Instance owner already setup" } };
  }
  if (path !== "/rest/login") return { status: 404 };
  const login = z.object({ emailOrLdapLoginId: z.string(), password: z.string() }).parse(JSON.parse(body));
  if (state.owner?.name !== login.emailOrLdapLoginId || state.owner.password !== login.password)
    return { status: 401, body: { code: 401, message: "Wrong username or password." } };
  if (state.asksForCode === true) return { status: 401, body: { code: 998, message: "MFA Error" } };
  return { status: 200, body: { data: { email: login.emailOrLdapLoginId } } };
};

describe.each<[file: string, app: App, name: string]>([
  ["ghost.yaml", ghost, owner.email],
  ["wordpress.yaml", wordpress, owner.user],
  ["n8n.yaml", n8n, owner.email],
])("the owner account of %s is claimed once", (file, app, name) => {
  const claim = catalogClaim(file);
  const ours = { name, password: owner.password };

  test("a new app gets our owner, and a second run proves it again", async () => {
    const state: AppState = { owner: null };
    await using house = await startApp(app, state);
    expect(await runClaim(claim, house.url)).toBe(0);
    expect(state.owner).toEqual(ours);
    expect(await runClaim(claim, house.url)).toBe(0);
    expect(state.owner).toEqual(ours);
  });

  test("an attempt whose answer was lost is finished by the next", async () => {
    const state: AppState = { owner: null, losesAnswer: true };
    await using house = await startApp(app, state);
    expect(await runClaim(claim, house.url)).toBe(1);
    expect(await runClaim(claim, house.url)).toBe(0);
    expect(state.owner).toEqual(ours);
  });

  test.each<[string, AppState]>([
    ["somebody else was first", { owner: { name: "first@other.example", password: "Other-pass-1" } }],
    ["somebody else was first, with our name", { owner: { name, password: "Other-pass-1" } }],
    ["the app accepts a second setup", { owner: null, open: true }],
  ])("it fails when %s", async (_name, state) => {
    await using house = await startApp(app, state);
    expect(await runClaim(claim, house.url)).toBe(1);
  });

  test("it fails when the app does not answer in time", async () => {
    const house = await startApp(app, { owner: null });
    await house[Symbol.asyncDispose]();
    expect(await runClaim(claim, house.url)).toBe(1);
  });

  test("it gives up by itself before its job is ended", () => {
    const seconds = claim.env.find((entry) => entry.name === "CLAIM_SECONDS");
    expect(Number(seconds !== undefined && "value" in seconds && seconds.value)).toBeLessThan(claim.timeoutSeconds);
  });
});

test.each<[string, App]>([
  ["ghost.yaml", ghost],
  ["n8n.yaml", n8n],
])("our owner of %s with a second factor is still ours", async (file, app) => {
  await using house = await startApp(app, {
    owner: { name: owner.email, password: owner.password },
    asksForCode: true,
  });
  expect(await runClaim(catalogClaim(file), house.url)).toBe(0);
});
