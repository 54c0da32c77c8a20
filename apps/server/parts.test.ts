import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { organizationChannel } from "@sewa/core";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { addressOf, requestIdOf } from "./client.ts";
import { readCredentials, sessionCookie } from "./credentials.ts";
import { startFeedHub } from "./feeds.ts";
import { createSlots } from "./limits.ts";
import { createServerLog } from "./log.ts";
import { boundBuffer } from "./socket-buffer.ts";
import { until } from "./test-house.ts";

function request(headers: Record<string, string>, remoteAddress = "10.0.0.9"): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test.each([
  [0, "1.1.1.1", "10.0.0.9"],
  [1, "6.6.6.6, 1.1.1.1", "1.1.1.1"],
  [2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"],
  [2, "1.1.1.1", "10.0.0.9"],
  [1, "", "10.0.0.9"],
])("B19 behind %i trusted proxies, X-Forwarded-For %j means %s", (proxies, forwarded, expected) => {
  expect(addressOf(request(forwarded === "" ? {} : { "x-forwarded-for": forwarded }), proxies)).toBe(expected);
});

test("credentials: the header goes before the parameters, and both before the cookie", () => {
  const all = request({ authorization: "Bearer h", cookie: "a=b; session=c" });
  expect(readCredentials(all, "session", { token: "p" })).toMatchObject({ secret: "h", from: "header" });
  const rest = request({ cookie: "a=b; session=c" });
  expect(readCredentials(rest, "session", { ticket: "p" })).toEqual({
    kind: "ticket",
    secret: "p",
    from: "parameters",
  });
  expect(readCredentials(rest, "session", null)).toEqual({ kind: "token", secret: "c", from: "cookie" });
  expect(readCredentials(rest, "__Host-session", null)).toBeNull();
  expect(sessionCookie(true, "x", new Date(0))).toBe(
    "__Host-session=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax; Secure",
  );
});

test.each(["a\r\nb-12345678", "-begins-odd", "ends-odd.", "x".repeat(64), "1234567", "two words", "ünlesbar-1234"])(
  "a request id that could end a log line, or that no label of the cluster can hold, is replaced: %j",
  (given) => {
    expect(requestIdOf(request({ "x-request-id": given }))).toMatch(/^[\da-f-]{36}$/);
  },
);

test.each(["9f2c0f4e-7a53-4a0e-9e0c-0d7b6f3a1c55", "01JD2Y.gateway_7", "x".repeat(63)])(
  "a request id that fits everywhere is kept: %s",
  (given) => {
    expect(requestIdOf(request({ "x-request-id": given }))).toBe(given);
  },
);

test("a slot that is given back twice is one slot", () => {
  const take = createSlots(1);
  const giveBack = take("a");
  expect(take("a")).toBeNull();
  giveBack?.();
  giveBack?.();
  expect(take("a")).not.toBeNull();
  expect(take("a")).toBeNull();
  expect(take("b")).not.toBeNull();
});

test("O4 the log keeps secrets and the text of failed queries to itself", () => {
  const lines: string[] = [];
  const log = createServerLog({ level: "info" }, { write: (line) => void lines.push(line) });
  log.info(
    { token: "hunter2", input: { password: "hunter2" }, headers: { cookie: "hunter2", authorization: "hunter2" } },
    "event",
  );
  const failed = Object.assign(new Error("Failed query: select 1\nparams: hunter2"), {
    query: "select 1",
    params: ["hunter2"],
    cause: new Error("connect refused"),
  });
  log.error({ err: failed }, "call failed");
  log.error({ err: new Error("outer", { cause: failed }) }, "call failed");
  log.error(failed, "call failed");
  log.error({ deep: { failed }, at: { a: { b: { c: { d: { newPassword: "hunter2" } } } } } }, "call failed");
  log.error({ err: new Error("smtp://sewa:hunter2@mail.test:25 does not answer") }, "call failed");
  expect(lines.join("\n")).not.toContain("hunter2");
  expect(lines).toHaveLength(6);
  expect(lines[5]).toContain("mail.test:25 does not answer");
});

test("W1 what waits for a reader who does not read is bounded", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(server, "listening");
  const connected = once(server, "connection") as Promise<[WebSocket]>;
  const reader = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [sender] = await connected;
  reader.pause();
  let isFull = false;
  boundBuffer(sender, 256 * 1_024, () => (isFull = true));
  const piece = "x".repeat(64 * 1_024);
  for (let count = 0; count < 1_000 && !isFull; count += 1) {
    sender.send(piece);
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(isFull).toBe(true);
  expect(sender.bufferedAmount).toBeLessThan(512 * 1_024);
  reader.terminate();
  sender.terminate();
  await new Promise((resolve) => server.close(resolve));
});

test("P15 a feed hears its organization only, once for many notifications, and again when LISTEN was lost and came back", async () => {
  await using database = await createTestDatabase();
  await using db = connectDatabase({ url: database.url, role: "sewa_app", max: 2 });
  let reconnects = 0;
  await using hub = await startFeedHub(db, { slowTimerMs: 60_000, onReconnect: () => (reconnects += 1) });
  const gone = new AbortController();
  const [mine, other] = [hub.open(["a"], gone.signal), hub.open(["b"])];
  let [heardMine, heardOther] = [0, 0];
  const listen = async (feed: typeof mine, count: () => void): Promise<void> => {
    while (await feed.next()) count();
  };
  const ended = [listen(mine, () => (heardMine += 1)), listen(other, () => (heardOther += 1))];
  await db.drizzle.execute(`select pg_notify('${organizationChannel}', 'a')`);
  await until("it was heard", () => heardMine === 1);
  expect(heardOther).toBe(0);

  await db.drizzle.transaction(async (tx) => {
    // As the user that connected, because the server's role may not end sessions.
    await tx.execute("set local role none");
    await tx.execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and datname = current_database()",
    );
  });
  await until("listening came back", () => reconnects > 0 && heardMine > 1 && heardOther > 0);
  gone.abort();
  other.close();
  await Promise.all(ended);
  expect(hub.size).toBe(0);
});
