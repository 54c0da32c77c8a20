import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
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
    limits: { connectionParamsMs: 300, socketsPerSession: 3, subscriptionsPerSocket: 5, slowTimerMs: 1_000 },
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
])("an upgrade from %s is refused", async (_, path, headers, status) => {
  const socket = new WebSocket(`${house.url.replace("http", "ws")}${path}`, { headers });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(status);
  socket.on("error", () => undefined).terminate();
});

test("W3 a socket that announces connection parameters and sends none is closed", async () => {
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

test("frames that are no JSON are answered, and the fifth closes the socket", async () => {
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
])("a frame with %s is answered with an error that shows nothing of the machine room", async (_, frame) => {
  await using raw = await open();
  raw.socket.send(JSON.stringify(frame));
  await until("it is answered", () => raw.messages.length > 0);
  expect(raw.messages[0]).toHaveProperty("error");
  expect(JSON.stringify(raw.messages[0])).not.toMatch(/stack|node_modules|\bat .+:\d+/);
});

test("W5 an array of more calls than the limit runs none of them", async () => {
  await using raw = await open();
  raw.socket.send(JSON.stringify(Array.from({ length: 21 }, (_, id) => query(id, "system.health"))));
  await until("all are answered", () => raw.messages.length === 21);
  expect(raw.messages.every(({ error, result }) => error !== undefined && result === undefined)).toBe(true);
});

test("a frame over the limit closes the socket", async () => {
  await using raw = await open();
  raw.socket.send("x".repeat(100 * 1_024));
  expect(await until("it is closed", () => raw.end.value)).toMatchObject({ code: 1009 });
});

test("W4 a socket has so many streams and no more, and one that is stopped makes room", async () => {
  const { instanceId } = await orderFree(customer.api, "order-for-streams");
  await using raw = await open("", bearer());
  const subscribe = (id: number): void =>
    raw.socket.send(
      JSON.stringify({
        id,
        method: "subscription",
        params: { path: "instances.onStatus", input: { json: { instanceId } } },
      }),
    );
  for (let id = 1; id <= 6; id += 1) subscribe(id);
  await until("one was refused", () => raw.messages.some(({ error }) => error !== undefined));
  expect(raw.messages.filter(({ error }) => error !== undefined)).toMatchObject([
    { error: { json: { data: { appCode: "RATE_LIMITED", retryAfterSeconds: 5 } } } },
  ]);
  const refused = raw.messages.find(({ error }) => error !== undefined)?.id;
  const stopped = [1, 2, 3, 4, 5, 6].find((id) => id !== refused);
  raw.socket.send(JSON.stringify({ id: stopped, method: "subscription.stop" }));
  await until("it has stopped", () =>
    raw.messages.some(({ id, result }) => id === stopped && result?.type === "stopped"),
  );
  subscribe(7);
  await until("the next one began", () => raw.messages.some(({ id, result }) => id === 7 && result?.type === "data"));
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

test("W2 a log-out elsewhere closes the session's sockets within five seconds, and sends them nothing more", async () => {
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

test("a client that only reads keeps its streams apart from its calls", async () => {
  await using socket = createSocketClient(house.url, { token: customer.token });
  const [me, version] = await Promise.all([socket.api.auth.me.query(), socket.api.system.version.query()]);
  expect(me.user.email).toBe(customer.email);
  expect(version).toMatchObject({ currency: "IDR" });
});
