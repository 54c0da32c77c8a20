import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { transformer } from "@sewa/api";
import { mintMailLink } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, orderFree, portal, startTestHouse, type TestHouse, tokenIn } from "./test-house.ts";

let house: TestHouse;
let customer: Customer;
beforeAll(async () => {
  house = await startTestHouse();
  customer = await house.customer();
});
afterAll(() => house[Symbol.asyncDispose]());

const answerMs = 5_000;
const json = "application/json";

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Fails when no answer comes in time, so that no test here can hang. */
async function send({ method = "POST", path, body, headers = {} }: Sent): Promise<Answer> {
  const response = await fetch(`${house.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(answerMs),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Nothing of the machine room may ever be read in an answer. */
function expectMasked(text: string): void {
  expect(text).not.toMatch(
    /select |insert into|update "|params:|postgres|drizzle|node_modules|\bat .+:\d+:\d+|ECONN|\/packages\//i,
  );
}

const mutation = "/trpc/auth.requestPasswordReset";
const wrapped = (input: unknown): string => JSON.stringify(transformer.serialize(input));
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

const rows: readonly (Sent & { readonly name: string; readonly status: number; readonly appCode?: string })[] = [
  {
    name: "B1 a body that is no JSON",
    path: mutation,
    body: "{bad",
    headers: { "content-type": json },
    status: 400,
    appCode: "BAD_JSON",
  },
  {
    name: "B2 an input in the URL that is no JSON",
    method: "GET",
    path: "/trpc/offerings.get?input=%7Bbad",
    status: 400,
    appCode: "BAD_JSON",
  },
  {
    name: "an empty body",
    path: mutation,
    body: "",
    headers: { "content-type": json },
    status: 400,
    appCode: "INVALID_INPUT",
  },
  {
    name: "B3 a body without content type",
    path: mutation,
    headers: {},
    status: 415,
    appCode: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "B3 text/plain, which a form can send",
    path: mutation,
    body: wrapped({ email: "a@b.test" }),
    headers: { "content-type": "text/plain" },
    status: 415,
    appCode: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "B4 a type that begins like JSON",
    path: mutation,
    body: "{}",
    headers: { "content-type": "application/jsonXX" },
    status: 415,
  },
  {
    name: "B5 a form to a mutation that takes nothing",
    path: "/trpc/auth.logOut",
    body: "--x--",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    status: 415,
  },
  {
    name: "B6 bytes",
    path: "/trpc/auth.logOut",
    body: "x",
    headers: { "content-type": "application/octet-stream" },
    status: 415,
  },
  {
    name: "B7 a body over the limit",
    path: mutation,
    body: wrapped({ email: "a".repeat(300 * 1_024) }),
    headers: { "content-type": json },
    status: 413,
    appCode: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "B8 a batch over the limit",
    method: "GET",
    path: `/trpc/${Array(11).fill("system.health").join(",")}?batch=1`,
    status: 400,
    appCode: "BAD_REQUEST",
  },
  {
    name: "B9 a batch of a query and a mutation",
    path: "/trpc/system.health,auth.logOut?batch=1",
    body: "{}",
    headers: { "content-type": json },
    status: 400,
    appCode: "BAD_REQUEST",
  },
  {
    name: "a batch that is no object",
    path: `${mutation}?batch=1`,
    body: "5",
    headers: { "content-type": json },
    status: 400,
  },
  {
    name: "B10 a mutation by GET",
    method: "GET",
    path: "/trpc/auth.logOut",
    status: 405,
    appCode: "METHOD_NOT_SUPPORTED",
  },
  {
    name: "B10 a query by POST",
    path: "/trpc/system.health",
    body: "{}",
    headers: { "content-type": json },
    status: 405,
  },
  {
    name: "another method",
    method: "DELETE",
    path: "/trpc/system.health",
    status: 405,
    appCode: "METHOD_NOT_SUPPORTED",
  },
  {
    name: "B11 an unknown procedure",
    method: "GET",
    path: "/trpc/nobody.knows",
    status: 404,
    appCode: "UNKNOWN_PROCEDURE",
  },
  ...["__proto__", "constructor", "a%00b", "auth.__proto__", "toString", "%E0%A4%A", "auth", ""].map((path) => ({
    name: `B11 the procedure "${path}"`,
    method: "GET",
    path: `/trpc/${path}`,
    status: path === "%E0%A4%A" ? 400 : 404,
  })),
  {
    name: "B12 a key that nobody asked for",
    path: mutation,
    body: wrapped({ email: "a@b.test", role: "admin" }),
    headers: { "content-type": json },
    status: 400,
    appCode: "INVALID_INPUT",
  },
  {
    name: "B13 the key __proto__",
    path: mutation,
    body: `{"json":{"email":"a@b.test","__proto__":{"polluted":true}}}`,
    headers: { "content-type": json },
    status: 400,
  },
  {
    name: "B13 a path of superjson into the prototype",
    path: mutation,
    body: `{"json":{"email":"a@b.test"},"meta":{"values":{"__proto__.polluted":["Date"]}}}`,
    headers: { "content-type": json },
    status: 400,
  },
  {
    name: "B13 a path of superjson through the constructor",
    path: mutation,
    body: `{"json":{"email":"a@b.test"},"meta":{"referentialEqualities":{"email":["constructor.prototype.polluted"]}}}`,
    headers: { "content-type": json },
    status: 400,
  },
  {
    name: "B15 a key that stands there twice, of which the last one counts",
    path: mutation,
    body: `{"json":{"email":"a@b.test","email":5}}`,
    headers: { "content-type": json },
    status: 400,
    appCode: "INVALID_INPUT",
  },
  {
    name: "B14 100,000 nested arrays",
    path: mutation,
    body: `{"json":${nested(100_000)}}`,
    headers: { "content-type": json },
    status: 400,
  },
  { name: "an input that is not wrapped", path: mutation, body: "[1]", headers: { "content-type": json }, status: 400 },
  { name: "null", path: mutation, body: "null", headers: { "content-type": json }, status: 400 },
  {
    name: "a NUL in an e-mail address",
    path: mutation,
    body: wrapped({ email: "a\0@b.test" }),
    headers: { "content-type": json },
    status: 400,
    appCode: "INVALID_INPUT",
  },
  {
    name: "half a character",
    path: mutation,
    body: `{"json":{"email":"a\\ud800@b.test"}}`,
    headers: { "content-type": json },
    status: 400,
  },
  {
    name: "B23 an address that would write a mail header",
    path: mutation,
    body: wrapped({ email: "a@b.test\r\nBcc: x@y.test" }),
    headers: { "content-type": json },
    status: 400,
    appCode: "INVALID_INPUT",
  },
  {
    name: "B26 a password of 200 KiB",
    path: "/trpc/auth.logIn",
    body: wrapped({ email: "a@b.test", password: "x".repeat(200 * 1_024) }),
    headers: { "content-type": json },
    status: 400,
  },
  ...[`sewa_v_${"a".repeat(43)}`, "", "sewa_v_", "' or 1=1 --", "a".repeat(10_000)].map((token) => ({
    name: `B31 a link that was never sent (${token.slice(0, 12)}, ${token.length} characters)`,
    path: "/trpc/auth.verifyEmail",
    body: wrapped({ token }),
    headers: { "content-type": json },
    status: 400,
    appCode: "TOKEN_INVALID",
  })),
  {
    name: "B17 a page of another origin",
    path: mutation,
    body: wrapped({ email: "a@b.test" }),
    headers: { "content-type": json, origin: "https://evil.example" },
    status: 403,
    appCode: "BAD_ORIGIN",
  },
  {
    name: "the portal's host by the wrong scheme",
    path: mutation,
    body: "{}",
    headers: { "content-type": json, origin: "https://portal.test" },
    status: 403,
    appCode: "BAD_ORIGIN",
  },
  {
    name: "B18 a cookie that changes something and says not where from",
    path: "/trpc/auth.logOut",
    body: "{}",
    headers: { "content-type": json, cookie: `session=sewa_s_${"a".repeat(43)}` },
    status: 403,
    appCode: "BAD_ORIGIN",
  },
  { name: "nobody", method: "GET", path: "/trpc/auth.me", status: 401, appCode: "UNAUTHORIZED" },
  ...["' or 1=1 --", "sewa_s_short", `sewa_s_${"a".repeat(43)}`, "x".repeat(10_000)].map((cookie) => ({
    name: `B34 a cookie that opens nothing (${cookie.slice(0, 12)}, ${cookie.length} characters)`,
    method: "GET",
    path: "/trpc/auth.me",
    headers: { cookie: `session=${cookie}` },
    status: 401,
    appCode: "UNAUTHORIZED",
  })),
  {
    name: "a bearer token of the right shape that nobody has",
    method: "GET",
    path: "/trpc/auth.me",
    headers: { authorization: `Bearer sewa_s_${"a".repeat(43)}` },
    status: 401,
  },
  { name: "an unknown path", method: "GET", path: "/wp-login.php", status: 404, appCode: "NOT_FOUND" },
  {
    name: "a preflight of another origin",
    method: "OPTIONS",
    path: mutation,
    headers: { origin: "https://evil.example" },
    status: 403,
  },
];

test.each(rows)(
  "$name is refused with $status, at once and without a look into the machine room",
  async ({ status, appCode, ...sent }) => {
    const answer = await send(sent);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    expectMasked(answer.text);
    const body = JSON.parse(answer.text) as unknown;
    const [first] = [body].flat() as { error: { json: { data: { appCode: string; requestId: string } } } }[];
    expect(first?.error.json.data).toMatchObject(appCode === undefined ? {} : { appCode });
    expect(first?.error.json.data).not.toHaveProperty("stack");
    expect(answer.headers.get("x-request-id")).toMatch(/^[\w-]{8,64}$/);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  },
);

test("B11 no more of an unknown path is said back than a path of ours could have", async () => {
  const { text } = await send({ method: "GET", path: `/trpc/${"x".repeat(150)}` });
  expect(text).toContain(`"path":"${"x".repeat(100)}"`);
});

test("B34 a browser is told to forget a cookie that opens nothing, and not the one that it has just got", async () => {
  const old = { cookie: "session=sewa_s_short", origin: portal };
  const me = await send({ method: "GET", path: "/trpc/auth.me", headers: old });
  expect(me.headers.getSetCookie()).toEqual([expect.stringMatching(/^session=; Path=\/; Expires=Thu, 01 Jan 1970/)]);
  const { email, password } = customer;
  const logIn = JSON.stringify({ 0: transformer.serialize({ email, password }), 1: transformer.serialize(undefined) });
  const both = await send({
    path: "/trpc/auth.logIn,auth.socketTicket?batch=1",
    body: logIn,
    headers: { ...old, "content-type": json },
  });
  expect(both.text).toContain("UNAUTHORIZED");
  expect(both.headers.getSetCookie()).toEqual([expect.stringMatching(/^session=sewa_s_/)]);
  const wrong = wrapped({ email, password: "wrong password" });
  const refused = await send({ path: "/trpc/auth.logIn", body: wrong, headers: { ...old, "content-type": json } });
  expect({ status: refused.status, cookies: refused.headers.getSetCookie() }).toEqual({ status: 401, cookies: [] });
});

test("B32 who only looks at a link, as scanners of mail do, uses nothing up", async () => {
  const email = "scanned@customer.test";
  const register = wrapped({ email, password: "correct horse battery", name: "Ana", locale: "en" });
  await send({ path: "/trpc/auth.register", body: register, headers: { "content-type": json } });
  const [user] = await house.sql(`select id from users where email = '${email}'`);
  const link = await mintMailLink(house.core, { kind: "verify_email", userId: String(user?.["id"]) });
  const input = wrapped({ token: tokenIn(link) });
  const path = "/trpc/auth.verifyEmail";
  expect((await send({ method: "GET", path: `${path}?input=${encodeURIComponent(input)}` })).status).toBe(405);
  expect((await send({ path, body: input, headers: { "content-type": json } })).status).toBe(200);
});

test("the portal's preflight is answered", async () => {
  const answer = await send({
    method: "OPTIONS",
    path: mutation,
    headers: { origin: portal, "access-control-request-method": "POST" },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-origin")).toBe(portal);
  expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
});

test("B16 a URL of 20 KB is refused before it is read", async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    httpRequest(`${house.url}/trpc/system.health?input=${"x".repeat(20_000)}`, (response) =>
      resolve(response.resume().statusCode),
    )
      .on("error", reject)
      .end();
  });
  expect(status).toBe(431);
});

test("an endless body without a length is cut off", async () => {
  const { hostname, port } = new URL(house.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
    socket.setTimeout(answerMs, () => reject(new Error("It hangs.")));
    socket.write(`POST ${mutation} HTTP/1.1\r\nhost: x\r\ncontent-type: ${json}\r\ntransfer-encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${"a".repeat(0x10000)}\r\n`;
    for (let count = 0; count < 6; count += 1) socket.write(chunk);
    socket.on("data", () => socket.end());
  });
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});

test("a request id of the client's is kept when it looks like one", async () => {
  const kept = await send({ method: "GET", path: "/trpc/auth.me", headers: { "x-request-id": "edge-12345678" } });
  expect(kept.headers.get("x-request-id")).toBe("edge-12345678");
  expect(kept.text).toContain("edge-12345678");
  const made = await send({ method: "GET", path: "/trpc/auth.me", headers: { "x-request-id": "<script>" } });
  expect(made.headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
});

test("B42 B43 an id that is none, of another kind, invented or of another organization gets the same answer but for the request id", async () => {
  const other = await house.customer();
  const { instanceId, subscriptionId } = await orderFree(other.api, "order-of-the-other");
  const ids = [
    "",
    "not-an-id",
    subscriptionId,
    "ins_00000000000000000000000000",
    instanceId,
    instanceId.toUpperCase(),
    "ins_' or 1=1",
  ];
  const answers = await Promise.all(
    ids.map((id) =>
      send({
        method: "GET",
        path: `/trpc/instances.get?input=${encodeURIComponent(wrapped({ instanceId: id }))}`,
        headers: { authorization: `Bearer ${customer.token}` },
      }),
    ),
  );
  const bodies = new Set(answers.map(({ text }) => text.replace(/"requestId":"[^"]+"/, "")));
  expect([...bodies]).toHaveLength(1);
  expect(answers[0]).toMatchObject({ status: 404 });
  expect(answers[0]?.text).toContain("No such instance.");
});

test.each([
  ["none", undefined],
  ["a short one", "seven77"],
  ["one of 129 characters", "k".repeat(129)],
  ["one of 300 characters", "k".repeat(300)],
  ["one with a space", "key with space"],
])("B71 an order with %s for its idempotency key is refused", async (_, idempotencyKey) => {
  const answer = await send({
    path: "/trpc/orders.place",
    headers: { "content-type": json, authorization: `Bearer ${customer.token}` },
    body: wrapped({
      planId: "pln_x",
      parameters: {},
      name: "A",
      priceKey: "0".repeat(32),
      idempotencyKey,
    }),
  });
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("idempotencyKey");
});

test.each([
  ["a limit of 0", { limit: 0 }],
  ["a limit below 0", { limit: -1 }],
  ["a limit of a thousand million", { limit: 1e9 }],
  ["an order of its own", { orderBy: "password_hash" }],
  ["a limit of 101", { limit: 101 }],
  ["a limit that is text", { limit: "10" }],
  ["a forged cursor", { cursor: "eyJhIjoxfQ" }],
  ["a cursor with SQL", { cursor: Buffer.from(JSON.stringify(["' or 1=1"])).toString("base64url") }],
])("B47 B48 B49 a list with %s is refused", async (_, input) => {
  for (const list of [
    "orders",
    "subscriptions",
    "instances",
    "operations",
    "invoices",
    "payments",
    "transactions",
    "events",
  ]) {
    const answer = await send({
      method: "GET",
      path: `/trpc/${list}.list?input=${encodeURIComponent(wrapped(input))}`,
      headers: { authorization: `Bearer ${customer.token}` },
    });
    expect({ list, status: answer.status, text: answer.text }).toMatchObject({ status: 400 });
    expectMasked(answer.text);
  }
});

test("B81 parameters that the blueprint does not know, or of the wrong type, are named in the issues", async () => {
  const { plans } = await customer.api.offerings.get.query({ slug: "uptime-kuma" });
  const quote = customer.api.orders.quote.query({ planId: plans[0]!.id, parameters: { "no-such": "x" } });
  await expect(quote).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT", issues: [{ path: expect.stringContaining("no-such") as string }] },
  });
});
