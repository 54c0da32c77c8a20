import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import type { LiveObject } from "../observe/wire.ts";
import { answer, startHttpServer } from "../testing/http-server.ts";
import { until } from "../testing/until.ts";
import { openConnection } from "./connection.ts";
import { createStats, defaultTimings, runWatch, type WatchStats, type WatchTimings } from "./watch-kind.ts";

const fast: WatchTimings = { ...defaultTimings, pageSize: 2, silentMs: 200, backoffMs: { min: 5, max: 20 } };

const object = (name: string, resourceVersion: string): LiveObject => ({
  metadata: { name, namespace: "n", resourceVersion },
});
const event = (type: string, body: unknown): string => `${JSON.stringify({ type, object: body })}\n`;

interface Script {
  /** Answers the n-th list. */
  readonly list: (n: number, query: URLSearchParams, response: ServerResponse) => void;
  /** Answers the n-th watch. */
  readonly watch: (n: number, query: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void;
}

interface Run extends AsyncDisposable {
  readonly lists: URLSearchParams[];
  readonly watches: URLSearchParams[];
  /** Names as the handlers heard them: `=a,b` a list, `+a` a change, `-a` a deletion. */
  readonly heard: string[];
  readonly stats: WatchStats;
}

async function run(script: Script, timings: Partial<WatchTimings> = {}): Promise<Run> {
  const lists: URLSearchParams[] = [];
  const watches: URLSearchParams[] = [];
  const server = await startHttpServer((request, response) => {
    const query = new URL(request.url, "http://x").searchParams;
    const isWatch = query.get("watch") === "true";
    (isWatch ? watches : lists).push(query);
    if (isWatch) script.watch(watches.length, query, response, request);
    else script.list(lists.length, query, response);
  });
  const connection = openConnection(server);
  const heard: string[] = [];
  const stop = new AbortController();
  const stats = createStats("pods");
  const target = {
    name: "pods",
    path: "/api/v1/pods",
    labelSelector: "a=b",
    onList: (items: readonly LiveObject[]) =>
      void heard.push(`=${items.map(({ metadata }) => metadata.name).join(",")}`),
    onChange: ({ metadata }: LiveObject, isDeleted: boolean) =>
      void heard.push(`${isDeleted ? "-" : "+"}${metadata.name}`),
  };
  const context = { connection, target, timings: { ...fast, ...timings }, stats, signal: stop.signal };
  const ended = runWatch(context, () => 0.5);
  return {
    lists,
    watches,
    heard,
    stats,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const oneItem: Script["list"] = (_, __, response) =>
  answer(response, 200, { metadata: { resourceVersion: "10" }, items: [object("a", "9")] });
const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { "content-type": "application/json" });

describe("a watch", () => {
  test("lists in pages, then follows from the version of the list", async () => {
    await using watch = await run({
      list: (n, query, response) =>
        answer(response, 200, {
          metadata: { resourceVersion: "10", ...(n === 1 ? { continue: "more" } : {}) },
          items: query.get("continue") === "more" ? [object("c", "3")] : [object("a", "1"), object("b", "2")],
        }),
      watch: (_, __, response) => {
        begin(response).write(event("ADDED", object("d", "11")));
        response.write(event("DELETED", object("a", "12")));
      },
    });
    await until("the events are heard", () => watch.heard.length === 3);
    expect(watch.heard).toEqual(["=a,b,c", "+d", "-a"]);
    expect(watch.lists.map((query) => [query.get("limit"), query.get("continue"), query.get("labelSelector")])).toEqual(
      [
        ["2", null, "a=b"],
        ["2", "more", "a=b"],
      ],
    );
    expect(Object.fromEntries(watch.watches[0]!)).toMatchObject({
      resourceVersion: "10",
      allowWatchBookmarks: "true",
      labelSelector: "a=b",
    });
    expect(watch.stats).toMatchObject({ isFollowing: true, lists: 1, restarts: 0, events: 2 });
  });

  test("reads events that arrive in pieces", async () => {
    const text = event("ADDED", object("grün", "11")) + event("ADDED", object("b", "12"));
    const bytes = Buffer.from(text);
    await using watch = await run({
      list: oneItem,
      watch: (_, __, response) => {
        begin(response);
        for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
      },
    });
    await until("the events are heard", () => watch.heard.length === 3);
    expect(watch.heard).toEqual(["=a", "+grün", "+b"]);
  });

  test("K13 that the server ends goes on from the last version, bookmarks included, without a list", async () => {
    await using watch = await run({
      list: oneItem,
      watch: (n, _, response) => {
        begin(response);
        if (n === 1)
          response.end(
            event("MODIFIED", object("a", "11")) + event("BOOKMARK", { metadata: { resourceVersion: "20" } }),
          );
      },
    });
    await until("it follows again", () => watch.watches.length === 2);
    expect(watch.watches.map((query) => query.get("resourceVersion"))).toEqual(["10", "20"]);
    expect(watch.lists).toHaveLength(1);
    expect(watch.heard).toEqual(["=a", "+a"]);
  });

  test.each([
    [
      "as an event",
      (response: ServerResponse) =>
        begin(response).end(event("ERROR", { kind: "Status", code: 410, message: "too old" })),
    ],
    ["as an answer", (response: ServerResponse) => answer(response, 410, { kind: "Status", code: 410 })],
  ])("K16 whose version is forgotten lists again: %s", async (_, forget) => {
    await using watch = await run({
      list: oneItem,
      watch: (n, __, response) => void (n === 1 ? forget(response) : begin(response).write(" ")),
    });
    await until("it follows again", () => watch.watches.length === 2);
    expect(watch.heard).toEqual(["=a", "=a"]);
    expect(watch.stats).toMatchObject({ expired: 1, lists: 2 });
  });

  test.each([
    ["a reset", (_: ServerResponse, request: IncomingMessage) => request.socket.resetAndDestroy()],
    ["a refusal", (response: ServerResponse) => answer(response, 403, { kind: "Status" })],
    ["an unknown token", (response: ServerResponse) => answer(response, 401, { kind: "Status" })],
    ["too many requests", (response: ServerResponse) => answer(response, 429, "busy", { "retry-after": "0" })],
    ["an inner fault", (response: ServerResponse) => answer(response, 500, "boom")],
    ["text that is no event", (response: ServerResponse) => void begin(response).end("<html>\n")],
    ["another error event", (response: ServerResponse) => void begin(response).end(event("ERROR", { code: 500 }))],
  ])("K14 K17 comes back after %s, as often as it takes", async (_, fault) => {
    await using watch = await run({
      list: oneItem,
      watch: (n, __, response, request) => {
        if (n <= 3) fault(response, request);
        else begin(response).write(event("ADDED", object("b", "11")));
      },
    });
    await until("the change is heard", () => watch.heard.includes("+b"));
    expect(watch.stats.restarts).toBe(3);
    expect(watch.watches.map((query) => query.get("resourceVersion"))).toEqual(["10", "10", "10", "10"]);
  });

  test("K15 that goes silent is opened again", async () => {
    await using watch = await run({
      list: oneItem,
      watch: (n, _, response) => void begin(response).write(n === 1 ? "\n" : event("ADDED", object("b", "11"))),
    });
    await until("the change is heard", () => watch.heard.includes("+b"));
    expect(watch.stats.restarts).toBeGreaterThanOrEqual(1);
  });

  test("lists again when a full list is due, whatever the watch says", async () => {
    await using watch = await run(
      { list: oneItem, watch: (_, __, response) => void begin(response).end() },
      { relistMs: 0 },
    );
    await until("it lists again and again", () => watch.lists.length >= 3);
    expect(watch.stats.restarts).toBe(0);
  });

  test("keeps trying to list while the server is away", async () => {
    await using watch = await run({
      list: (n, query, response) => (n <= 3 ? answer(response, 503, "away") : oneItem(n, query, response)),
      watch: (_, __, response) => void begin(response).write("\n"),
    });
    await until("the list is heard", () => watch.heard.includes("=a"));
    expect(watch.stats).toMatchObject({ restarts: 3, lists: 1 });
  });

  test("K16 begins a list anew when its pages are forgotten half-way", async () => {
    await using watch = await run({
      list: (n, query, response) => {
        if (n === 1)
          answer(response, 200, { metadata: { resourceVersion: "5", continue: "old" }, items: [object("x", "1")] });
        else if (query.get("continue") === "old") answer(response, 410, { kind: "Status", code: 410 });
        else oneItem(n, query, response);
      },
      watch: (_, __, response) => void begin(response).write("\n"),
    });
    await until("the list is heard", () => watch.heard.length > 0);
    expect(watch.heard).toEqual(["=a"]);
  });

  test("K21 that is stopped while it waits to try again opens nothing any more", async () => {
    const watch = await run(
      { list: oneItem, watch: (_, __, response) => answer(response, 500, "") },
      { backoffMs: { min: 60_000, max: 60_000 } },
    );
    await until("it waits", () => watch.stats.restarts === 1);
    await watch[Symbol.asyncDispose]();
    expect(watch.watches).toHaveLength(1);
  });
});
