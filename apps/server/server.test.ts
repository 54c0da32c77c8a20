import { once } from "node:events";
import { connect } from "node:net";
import { transformer } from "@sewa/api";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { createClient, startTestHouse, until } from "./test-house.ts";

test("a server that is told to stop says so, finishes what runs, sends sockets elsewhere and ends", async () => {
  await using house = await startTestHouse();
  const { hostname, port } = new URL(house.url);
  const body = JSON.stringify(transformer.serialize(undefined));
  const running = connect(Number(port), hostname);
  let answer = "";
  running.on("data", (chunk) => (answer += chunk.toString()));
  running.write(
    `POST /trpc/auth.logOut HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  const socket = new WebSocket(`${house.url.replace("http", "ws")}/trpc`);
  const heard: string[] = [];
  socket.on("message", (data) => heard.push((data as Buffer).toString()));
  await once(socket, "open");
  await createClient(house.url, null).system.health.query();
  expect(await fetch(`${house.url}/readyz`).then(({ status }) => status)).toBe(200);

  const closed = house.server.close();
  const ended = once(socket, "close");

  expect(await fetch(`${house.server.internalUrl}/readyz`).then(({ status }) => status)).toBe(503);
  await until("sockets are told", () => heard.includes(JSON.stringify({ id: null, method: "reconnect" })));
  const [code] = (await ended) as [number];
  expect(code).toBe(1012);
  running.write(body);
  await until("the running call was answered", () => answer.includes("logged_out"));
  await closed;
  await expect(fetch(`${house.url}/healthz`)).rejects.toThrow("fetch failed");
  await house.server.close();
});

test("B22 calls are limited, each call of a batch counts, and the answer says when to come back", async () => {
  await using house = await startTestHouse({ limits: { callsPerMinutePerAddress: 6 } });
  const batch = `${house.url}/trpc/${Array(4).fill("system.health").join(",")}?batch=1`;
  expect((await fetch(batch)).status).toBe(200);
  const refused = await fetch(batch);
  const answers = (await refused.json()) as { error?: { json: { data: { appCode: string } } } }[];
  expect(answers.filter(({ error }) => error?.json.data.appCode === "RATE_LIMITED")).toHaveLength(2);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});

test.each([
  ["headers", "GET /healthz HTTP/1.1\r\nx-slow: "],
  [
    "bodies",
    "POST /trpc/auth.logOut HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n",
  ],
])("W9 %s that trickle are told off with 408 and closed, and others are served meanwhile", async (_, head) => {
  await using house = await startTestHouse({ limits: { headersMs: 400, requestMs: 800 } });
  const { hostname, port } = new URL(house.url);
  const slow = Array.from({ length: 50 }, () => {
    const socket = connect(Number(port), hostname).on("error", () => undefined);
    const heard = { text: "", isClosed: false };
    socket.on("data", (chunk: Buffer) => (heard.text += chunk.toString())).on("close", () => (heard.isClosed = true));
    socket.write(head);
    const timer = setInterval(() => socket.write("a"), 50);
    socket.on("close", () => clearInterval(timer));
    return heard;
  });
  await until("all are closed", async () => {
    await createClient(house.url, null).system.health.query();
    return slow.every(({ isClosed }) => isClosed);
  });
  expect(slow.map(({ text }) => text.split("\r\n")[0])).toEqual(slow.map(() => "HTTP/1.1 408 Request Timeout"));
});

test("P8 a lock wait behind a migration is refused as UNAVAILABLE with a time to come back, and later calls go through", async () => {
  await using house = await startTestHouse();
  const { api } = await house.customer();
  const release = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = house.core.db.drizzle.transaction(async (tx) => {
    await tx.execute("lock table users in access exclusive mode");
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  const refused = await api.auth.me.query().catch((error: unknown) => error);
  release.resolve();
  await holding;
  expect(refused).toMatchObject({
    message: "Not available at the moment. Try again.",
    data: { appCode: "UNAVAILABLE", httpStatus: 503, retryAfterSeconds: 2 },
  });
  expect(await api.auth.me.query()).toMatchObject({ isOperator: false });
});

test("metrics count calls by procedure and code, sockets and business events", async () => {
  await using house = await startTestHouse();
  await house.customer();
  await createClient(house.url, null)
    .auth.me.query()
    .catch(() => undefined);
  const text = await fetch(`${house.server.internalUrl}/metrics`).then((response) => response.text());
  expect(text).toMatch(/sewa_api_call_duration_seconds_count\{procedure="auth.logIn",type="mutation",code="OK"\} 1/);
  expect(text).toMatch(
    /sewa_api_call_duration_seconds_count\{procedure="auth.me",type="query",code="UNAUTHORIZED"\} 1/,
  );
  expect(text).toMatch(/sewa_events_total\{type="user.registered"\} 1/);
  expect(text).toContain("sewa_sockets 0");
  expect((await fetch(`${house.url}/metrics`)).status).toBe(404);
});
