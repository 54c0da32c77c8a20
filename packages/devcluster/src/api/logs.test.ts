import { request as httpRequest } from "node:http";
import { expect, test } from "vitest";
import { type TestCluster, testCluster } from "../testing/client.ts";

const pods = "/api/v1/namespaces/default/pods";
const ref = { namespace: "default", name: "web" };

async function startPod(
  containers: readonly object[] = [{ name: "main", image: "example/app:1" }],
): Promise<TestCluster> {
  const test = await testCluster();
  await test.call("POST", pods, { metadata: { name: "web" }, spec: { containers } });
  await test.until(`${pods}/web`, ({ body }) => (body["status"] as { phase?: string }).phase === "Running");
  return test;
}

/** What a followed log has said so far, and how it is. */
function follow(test: TestCluster, query: string): { text: string; state: "open" | "ended" | "broken" } {
  const seen = { text: "", state: "open" as "open" | "ended" | "broken" };
  const token = /token: "(.*)"/.exec(test.cluster.kubeconfig)?.[1] ?? "";
  const url = `${test.cluster.url}${pods}/web/log?follow=true&${query}`;
  httpRequest(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
    response.on("data", (chunk: Buffer) => (seen.text += chunk.toString()));
    response.on("end", () => (seen.state = "ended"));
    response.on("error", () => (seen.state = "broken"));
  })
    .on("error", () => (seen.state = "broken"))
    .end();
  return seen;
}

async function until(what: string, isDone: () => boolean): Promise<void> {
  const end = performance.now() + 3_000;
  while (!isDone()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("lines are shown as asked: the last ones, with times, from a second on, up to so many bytes", async () => {
  await using test = await startPod();
  test.cluster.write(ref, "one\ntwo");
  const log = async (query: string): Promise<unknown> => (await test.get(`${pods}/web/log?${query}`)).body;
  expect(await log("tailLines=2")).toBe("one\ntwo\n");
  expect(await log("tailLines=0")).toBe("");
  expect(await log("limitBytes=5&tailLines=2")).toBe("one\nt");
  const stamped = String(await log("tailLines=2&timestamps=true"))
    .trim()
    .split("\n");
  expect(stamped).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one$/),
    expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z two$/),
  ]);
  expect(stamped).toEqual(stamped.toSorted());
  expect(await log("sinceTime=2099-01-01T00:00:00Z")).toBe("");
  expect(await log(`sinceTime=${stamped[0]!.slice(0, 19)}Z&tailLines=2`)).toBe("one\ntwo\n");
  test.cluster.rotateLog(ref);
  expect(await log("tailLines=1")).toBe("ready\n");
});

test.each([
  [
    "tailLines=-1",
    422,
    'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  ["limitBytes=0", 422, 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
  ["stream=Stderr", 422, 'PodLogOptions "web" is invalid: stream: Forbidden: may not be specified'],
  [
    "sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z",
    422,
    'PodLogOptions "web" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  ],
  ["tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["container=nope", 400, "container nope is not valid for pod web"],
  ["previous=true", 400, 'previous terminated container "main" in pod "web" not found'],
])("%s is refused with %d, in the words of a real server", async (query, status, message) => {
  await using test = await startPod();
  expect((await test.get(`${pods}/web/log?${query}`)).body).toMatchObject({ code: status, message });
});

test("a followed log tells what is written until its pod is deleted", async () => {
  await using test = await startPod();
  const log = follow(test, "tailLines=1");
  await until("it has begun", () => log.text === "ready\n");
  test.cluster.write(ref, "one");
  test.cluster.write(ref, "two");
  await until("it is told", () => log.text === "ready\none\ntwo\n");
  await test.call("DELETE", `${pods}/web`);
  await until("it has ended", () => log.state !== "open");
  expect(log).toEqual({ text: "ready\none\ntwo\n", state: "ended" });
});

test("a followed log is cut with the watches", async () => {
  await using test = await startPod();
  const log = follow(test, "tailLines=1");
  await until("it has begun", () => log.text === "ready\n");
  test.cluster.dropWatches();
  await until("it has ended", () => log.state !== "open");
  expect(log.state).toBe("broken");
});

test("of a container that was started anew, the run before is the previous one, with what it wrote", async () => {
  await using test = await startPod();
  test.cluster.write(ref, "of the first run");
  test.cluster.faults.oomKill("example/app");
  await test.until(`${pods}/web`, ({ body }) => restarts(body) === 1);
  test.cluster.faults.clear();
  expect((await test.get(`${pods}/web/log?previous=true`)).body).toContain(
    "of the first run\nended with exit code 137 (OOMKilled)\n",
  );
});

function restarts(body: object): number {
  const { status } = body as { status?: { containerStatuses?: { restartCount: number }[] } };
  return status?.containerStatuses?.[0]?.restartCount ?? 0;
}
