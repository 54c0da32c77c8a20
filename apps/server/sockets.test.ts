import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { usualLimits } from "./limits.ts";
import {
  createClient,
  createSocketClient,
  type Customer,
  orderFree,
  portal,
  startTestHouse,
  type TestHouse,
  until,
} from "./test-house.ts";

let house: TestHouse;
let customer: Customer;
beforeAll(async () => {
  house = await startTestHouse({
    limits: { connectionParamsMs: 300, socketsPerSession: 3, slowTimerMs: 1_000 },
  });
  customer = await house.customer();
});
afterAll(() => house[Symbol.asyncDispose]());

interface RawSocket extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: {
    id: unknown;
    result?: { type: string; data?: unknown };
    error?: { json: { data: { appCode: string } } };
    method?: string;
  }[];
  /** Code and reason of the end; null while it is open. */
  readonly end: { value: { code: number; reason: string } | null };
}

async function open(query = "", headers: Record<string, string> = {}, url = house.url): Promise<RawSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc${query}`, { headers });
  const messages: RawSocket["messages"] = [];
  const end: RawSocket["end"] = { value: null };
  socket.on("message", (data) => {
    const text = (data as Buffer).toString();
    if (text !== "PING") messages.push(...[JSON.parse(text) as RawSocket["messages"]].flat());
  });
  socket.on("close", (code, reason) => (end.value = { code, reason: reason.toString() }));
  await once(socket, "open");
  return {
    socket,
    messages,
    end,
    async [Symbol.asyncDispose]() {
      if (end.value !== null) return;
      socket.terminate();
      await once(socket, "close");
    },
  };
}

const query = (id: number, path: string): object => ({ id, method: "query", params: { path, input: {} } });
const bearer = (): Record<string, string> => ({ authorization: `Bearer ${customer.token}` });

test.each([
  ["another origin", "/trpc", { origin: "https://evil.example" }, 403],
  ["another path", "/elsewhere", {}, 404],
])("B105 an upgrade from %s is refused", async (_, path, headers, status) => {
  const socket = new WebSocket(`${house.url.replace("http", "ws")}${path}`, { headers });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(status);
  socket.on("error", () => undefined).terminate();
});

test("W3 a socket that announces connection parameters and sends none is closed, five seconds later unless told otherwise", async () => {
  expect(usualLimits.connectionParamsMs).toBe(5_000);
  await using raw = await open("?connectionParams=1");
  expect(await until("it is closed", () => raw.end.value)).toEqual({
    code: 1008,
    reason: "connection parameters did not come",
  });
});

test("a token that is none closes the socket with UNAUTHORIZED", async () => {
  await using raw = await open("?connectionParams=1");
  raw.socket.send(JSON.stringify({ method: "connectionParams", data: { token: `sewa_s_${"a".repeat(43)}` } }));
  await until("it is closed", () => raw.end.value);
  expect(raw.messages[0]).toMatchObject({ id: null, error: { json: { data: { appCode: "UNAUTHORIZED" } } } });
});

test("a page of the portal is somebody by its cookie", async () => {
  await using raw = await open("", { cookie: `session=${customer.token}`, origin: portal });
  raw.socket.send(JSON.stringify(query(1, "auth.me")));
  await until("it is answered", () => raw.messages.length > 0);
  expect(JSON.stringify(raw.messages[0])).toContain(customer.email);
});

test("a cookie that is left over from a session that has ended is nobody, and may still look around", async () => {
  await using raw = await open("", { cookie: `session=sewa_s_${"a".repeat(43)}`, origin: portal });
  raw.socket.send(JSON.stringify([query(1, "auth.me"), query(2, "system.version")]));
  await until("both are answered", () => raw.messages.length === 2);
  expect(raw.messages.find(({ id }) => id === 1)).toMatchObject({
    error: { json: { data: { appCode: "UNAUTHORIZED" } } },
  });
  expect(raw.messages.find(({ id }) => id === 2)).toMatchObject({ result: { type: "data" } });
});

test("a ticket opens one socket only", async () => {
  const { ticket } = await customer.api.auth.socketTicket.mutate();
  const greet = async (): Promise<RawSocket> => {
    const raw = await open("?connectionParams=1");
    raw.socket.send(JSON.stringify({ method: "connectionParams", data: { ticket } }));
    raw.socket.send(JSON.stringify(query(1, "auth.me")));
    return raw;
  };
  await using first = await greet();
  await until("it is answered", () => first.messages.length > 0);
  expect(first.messages[0]).toMatchObject({ id: 1, result: { type: "data" } });
  await using second = await greet();
  await until("it is closed", () => second.end.value);
  expect(second.messages[0]).toMatchObject({ error: { json: { data: { appCode: "UNAUTHORIZED" } } } });
});

test("B103 frames that are no JSON are answered, and the fifth closes the socket", async () => {
  await using raw = await open();
  for (let count = 0; count < 5; count += 1) raw.socket.send("{bad");
  expect(await until("it is closed", () => raw.end.value)).toMatchObject({ code: 1008 });
  expect(raw.messages[0]).toMatchObject({
    id: null,
    error: { json: { message: "The request is not valid JSON.", data: { appCode: "BAD_JSON" } } },
  });
});

test.each([
  ["an unknown method", { id: 1, method: "explode", params: { path: "system.health" } }],
  ["no id", { method: "query", params: { path: "system.health" } }],
  ["no path", { id: 1, method: "query", params: {} }],
  ["an unknown procedure", query(1, "no.such")],
  ["the prototype for a procedure", query(1, "__proto__")],
  ["a number", 5],
])("B103 a frame with %s is answered with an error that shows nothing of the machine room", async (_, frame) => {
  await using raw = await open();
  raw.socket.send(JSON.stringify(frame));
  await until("it is answered", () => raw.messages.length > 0);
  expect(raw.messages[0]).toHaveProperty("error");
  expect(JSON.stringify(raw.messages[0])).not.toMatch(/stack|node_modules|\bat .+:\d+/);
});

test("B103 a second stream under the same id is refused, and the first one goes on", async () => {
  await using raw = await open("", bearer());
  const stream = { id: 7, method: "subscription", params: { path: "instances.onEvent", input: { json: {} } } };
  raw.socket.send(JSON.stringify(stream));
  await until("it has begun", () => raw.messages.length === 1);
  raw.socket.send(JSON.stringify(stream));
  await until("the second is answered", () => raw.messages.length === 2);
  expect(raw.messages[0]).toMatchObject({ id: 7, result: { type: "started" } });
  expect(raw.messages[1]).toMatchObject({ id: 7, error: { json: { data: { appCode: "BAD_REQUEST" } } } });
  expect(raw.end.value).toBeNull();
});

test("W5 an array of more calls than the limit runs none of them", async () => {
  const ticket = (id: number): object => ({ id, method: "mutation", params: { path: "auth.socketTicket", input: {} } });
  const tickets = async (): Promise<unknown> =>
    (await house.sql("select count(*)::int as count from account_tokens where kind = 'socket_ticket'"))[0]?.["count"];
  const before = await tickets();
  await using raw = await open("", bearer());
  raw.socket.send(JSON.stringify(Array.from({ length: 11 }, (_, id) => ticket(id))));
  await until("all are answered", () => raw.messages.length === 11);
  expect(raw.messages.every(({ error, result }) => error !== undefined && result === undefined)).toBe(true);
  expect(await tickets()).toBe(before);
  // As many as are allowed do run.
  raw.socket.send(JSON.stringify(Array.from({ length: 10 }, (_, id) => ticket(100 + id))));
  await until("all of these are answered, too", () => raw.messages.length === 21);
  expect(Number(await tickets())).toBeGreaterThan(Number(before));
});

test("W1 a reader who does not read is closed as too slow when a mebibyte waits for them, and others are served", async () => {
  const generous = { callsPerMinutePerSession: 1e6, callsPerMinutePerAddress: 1e6 };
  const server = await house.another({ limits: generous });
  const closedAsSlow = async (): Promise<boolean> => {
    const text = await fetch(`${server.internalUrl}/metrics`).then((response) => response.text());
    return text.includes('sewa_sockets_closed_total{reason="slow"} 1');
  };
  expect(usualLimits.bufferedBytes).toBe(1_024 * 1_024);
  await using raw = await open("", bearer(), server.url);
  // The id comes back with the answer.
  const frame = JSON.stringify({ ...query(0, "system.version"), id: "x".repeat(60 * 1_024) });
  raw.socket.pause();
  await until("it is closed as too slow", () => {
    for (let count = 0; count < 10 && raw.socket.readyState === raw.socket.OPEN; count += 1) raw.socket.send(frame);
    return closedAsSlow();
  });
  raw.socket.resume();
  // Who takes long even to read the close frame is cut off without it.
  expect([1013, 1006]).toContain((await until("it has ended", () => raw.end.value)).code);
  expect((await createClient(server.url, customer.token).auth.me.query()).user.email).toBe(customer.email);
});

test("B104 a frame over the limit closes the socket", async () => {
  await using raw = await open();
  raw.socket.send("x".repeat(100 * 1_024));
  expect(await until("it is closed", () => raw.end.value)).toMatchObject({ code: 1009 });
});

test("W4 a socket has fifty streams and no more, and one that is stopped makes room", async () => {
  const { instanceId } = await orderFree(customer.api, "order-for-streams");
  const { url } = await house.another({ limits: {} });
  await using raw = await open("", bearer(), url);
  const subscribe = (id: number): void =>
    raw.socket.send(
      JSON.stringify({
        id,
        method: "subscription",
        params: { path: "instances.onStatus", input: { json: { instanceId } } },
      }),
    );
  const ids = Array.from({ length: 51 }, (_, index) => index + 1);
  for (const id of ids) subscribe(id);
  const answered = (): Set<unknown> =>
    new Set(
      raw.messages.filter(({ error, result }) => error !== undefined || result?.type === "data").map(({ id }) => id),
    );
  await until("each was answered", () => answered().size === ids.length);
  expect(raw.messages.filter(({ error }) => error !== undefined)).toMatchObject([
    { error: { json: { data: { code: "TOO_MANY_REQUESTS", appCode: "RATE_LIMITED", retryAfterSeconds: 5 } } } },
  ]);
  const refused = raw.messages.find(({ error }) => error !== undefined)?.id;
  const stopped = ids.find((id) => id !== refused);
  raw.socket.send(JSON.stringify({ id: stopped, method: "subscription.stop" }));
  await until("it has stopped", () =>
    raw.messages.some(({ id, result }) => id === stopped && result?.type === "stopped"),
  );
  subscribe(52);
  await until("the next one began", () => raw.messages.some(({ id, result }) => id === 52 && result?.type === "data"));
});

test("a session has so many sockets and no more", async () => {
  const mine = await house.customer();
  await using stack = new AsyncDisposableStack();
  const sockets: RawSocket[] = [];
  for (let count = 0; count < 4; count += 1)
    sockets.push(stack.use(await open("", { authorization: `Bearer ${mine.token}` })));
  await until("one is closed", () => sockets.some(({ end }) => end.value !== null));
  expect(sockets.filter(({ end }) => end.value !== null)).toHaveLength(1);
  expect(sockets.find(({ end }) => end.value !== null)?.messages[0]).toMatchObject({
    error: { json: { data: { appCode: "RATE_LIMITED" } } },
  });
});

test("W2 B36 a log-out elsewhere closes the session's sockets within five seconds, and sends them nothing more", async () => {
  const mine = await house.customer();
  const { ticket } = await mine.api.auth.socketTicket.mutate();
  await using byToken = await open("", { authorization: `Bearer ${mine.token}` });
  await using byTicket = await open("?connectionParams=1");
  byTicket.socket.send(JSON.stringify({ method: "connectionParams", data: { ticket } }));
  for (const raw of [byToken, byTicket]) {
    raw.socket.send(JSON.stringify(query(1, "auth.me")));
    await until("it is somebody", () => raw.messages.some(({ result }) => result !== undefined));
  }
  await mine.api.auth.logOut.mutate();
  for (const raw of [byToken, byTicket]) {
    expect(await until("it is closed", () => raw.end.value, 5_000)).toEqual({ code: 1008, reason: "session ended" });
  }
});

test("W2 what happens after the session has ended is not sent to a socket that was slow to read", async () => {
  const mine = await house.customer();
  const other = await createClient(house.url, null).auth.logIn.mutate({ email: mine.email, password: mine.password });
  await using raw = await open("", { authorization: `Bearer ${mine.token}` });
  raw.socket.send(
    JSON.stringify({ id: 1, method: "subscription", params: { path: "instances.onEvent", input: { json: {} } } }),
  );
  await until("it has begun", () => raw.messages.some(({ result }) => result?.type === "started"));
  const ended = async (): Promise<number> => {
    const text = await fetch(`${house.server.internalUrl}/metrics`).then((response) => response.text());
    return Number(/sewa_sockets_closed_total\{reason="sessionEnded"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  const before = await ended();
  raw.socket.pause();
  await mine.api.auth.logOut.mutate();
  await until("the server has closed it", async () => (await ended()) > before, 5_000);
  await orderFree(createClient(house.url, other.token), "order-after-the-end");
  raw.socket.resume();
  await until("it has ended", () => raw.end.value);
  expect(JSON.stringify(raw.messages)).not.toContain("order.placed");
});

test("a client that only reads keeps its streams apart from its calls", async () => {
  await using socket = createSocketClient(house.url, { token: customer.token });
  const [me, version] = await Promise.all([socket.api.auth.me.query(), socket.api.system.version.query()]);
  expect(me.user.email).toBe(customer.email);
  expect(version).toMatchObject({ currency: "IDR" });
});
