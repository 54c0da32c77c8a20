import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { ClusterUnreachable, NotFound } from "../errors.ts";
import { answer, startHttpServer } from "../testing/http-server.ts";
import { testSettings, testSpec } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import type { Cluster } from "./cluster.ts";
import { connectCluster } from "./connect.ts";
import type { LogQuery } from "./logs.ts";

const query: LogQuery = {
  instanceId: testSpec().instanceId,
  pod: "kuma-1",
  container: "kuma",
  isPrevious: false,
  isFollowed: true,
  tailLines: 5,
  since: null,
};

function connect(kubeconfig: string, requestTimeoutMs = 10_000): Cluster {
  return connectCluster({ kubeconfig, settings: testSettings, log: { warn: () => undefined }, requestTimeoutMs });
}

/** Reads on until it ends, and tells how. */
async function read(
  cluster: Cluster,
  change: Partial<LogQuery> = {},
  signal?: AbortSignal,
  onLine: (text: string) => void = () => undefined,
): Promise<{ readonly lines: string[]; readonly error: unknown }> {
  const lines: string[] = [];
  try {
    for await (const { text } of cluster.logs({ ...query, ...change }, { signal })) {
      lines.push(text);
      onLine(text);
    }
    return { lines, error: null };
  } catch (error) {
    return { lines, error };
  }
}

function refused(code: number, message: string): (request: unknown, response: ServerResponse) => void {
  return (_, response) => answer(response, code, { kind: "Status", status: "Failure", message, code });
}

test("what is asked for is one container of the instance's own namespace", async () => {
  const urls: string[] = [];
  await using server = await startHttpServer((request, response) => {
    urls.push(request.url);
    response.end();
  });
  await using cluster = connect(server.kubeconfig);
  await read(cluster);
  await read(cluster, {
    isPrevious: true,
    tailLines: null,
    since: new Date("2026-11-20T23:31:39.941Z"),
    pod: "a/../b",
  });
  const path = `/api/v1/namespaces/sewa-${query.instanceId}/pods`;
  expect(urls).toEqual([
    `${path}/kuma-1/log?container=kuma&timestamps=true&follow=true&tailLines=5`,
    `${path}/a%2F..%2Fb/log?container=kuma&timestamps=true&previous=true&limitBytes=16777216&sinceTime=2026-11-20T23%3A31%3A39Z`,
  ]);
});

test.each([
  ["has not begun", 'container "kuma" in pod "kuma-1" is waiting to start: ContainerCreating'],
  ["has no run before this one", 'previous terminated container "kuma" in pod "kuma-1" not found'],
])("a container that %s has said nothing", async (_, message) => {
  await using server = await startHttpServer(refused(400, message));
  await using cluster = connect(server.kubeconfig);
  expect(await read(cluster)).toEqual({ lines: [], error: null });
});

test.each([
  [404, 'pods "kuma-1" not found', NotFound],
  [400, "container nope is not valid for pod kuma-1", NotFound],
  [503, "try later", ClusterUnreachable],
])("an answer %d %s ends it with what it means", async (status, message, kind) => {
  await using server = await startHttpServer(refused(status, message));
  await using cluster = connect(server.kubeconfig);
  expect((await read(cluster)).error).toBeInstanceOf(kind);
});

test("an abort in the middle, before the answer and while nobody reads ends the stream and nothing else", async () => {
  let isClosed = 0;
  await using server = await startHttpServer((request, response) => {
    response.on("close", () => (isClosed += 1));
    if (request.url.includes("silent")) return;
    response.write("2026-11-20T23:31:39Z one\n");
  });
  await using cluster = connect(server.kubeconfig);
  for (const [count, pod] of ["kuma-1", "silent"].entries()) {
    const abort = new AbortController();
    const reading = read(cluster, { pod }, abort.signal, () => abort.abort());
    if (pod === "silent") {
      await until("it was asked", () => server.connections() > count);
      abort.abort();
    }
    expect((await reading).error).toMatchObject({ name: "AbortError" });
    await until("the connection is closed", () => isClosed > count);
  }
  const abort = new AbortController();
  const lines = cluster.logs(query, { signal: abort.signal })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toMatchObject({ text: "one" });
  abort.abort();
  await until("the connection is closed", () => isClosed > 2);
  await expect(lines.next()).rejects.toMatchObject({ name: "AbortError" });
});

test("a reset in the middle is an unreachable cluster, after the lines that came before it", async () => {
  await using server = await startHttpServer((_, response) => {
    response.write("2026-11-20T23:31:39Z one\n2026-11-20T23:31:39Z tw");
    setImmediate(() => response.socket?.resetAndDestroy());
  });
  await using cluster = connect(server.kubeconfig);
  const { lines, error } = await read(cluster);
  expect(error).toBeInstanceOf(ClusterUnreachable);
  expect(["one"].slice(0, lines.length)).toEqual(lines);
});

test("who leaves the loop closes the connection", async () => {
  let isClosed = false;
  await using server = await startHttpServer((_, response) => {
    response.on("close", () => (isClosed = true));
    response.write("2026-11-20T23:31:39Z one\n");
  });
  await using cluster = connect(server.kubeconfig);
  for await (const line of cluster.logs(query)) {
    expect(line.text).toBe("one");
    break;
  }
  await until("the connection is closed", () => isClosed);
});

test("a followed app that is silent at first is waited for, longer than any other answer", async () => {
  const requestTimeoutMs = 50;
  let write: (() => void) | null = null;
  await using server = await startHttpServer((request, response) => {
    if (!request.url.includes("/log?")) return;
    write = () => response.end("2026-11-20T23:31:39Z at last\n");
  });
  await using cluster = connect(server.kubeconfig, requestTimeoutMs);
  const reading = read(cluster);
  await until("it was asked", () => write !== null);
  // Asked later, and its time is over: so it would be for the log.
  await expect(cluster.ping()).rejects.toBeInstanceOf(ClusterUnreachable);
  write!();
  expect((await reading).lines).toEqual(["at last"]);
});
