import { expect, test } from "vitest";
import type { RefusalStatus } from "./answers.ts";
import { readTraces } from "./conformance/trace.ts";
import { testCluster } from "./testing/client.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const named = (name: string): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: {} });

test("a refusal meets the requests of its verb and kind, after those that it lets pass, as often as it was told", async () => {
  await using test = await testCluster();
  const refused = test.cluster.faults.answer(
    { verb: "create", plural: "configmaps", skip: 1, times: 2 },
    { status: 503 },
  );
  const create = async (name: string): Promise<number> => (await test.call("POST", configMaps, named(name))).status;
  expect(await create("a")).toBe(201);
  expect((await test.get(`${configMaps}/a`)).status).toBe(200);
  expect((await test.call("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "a" } })).status).toBe(201);
  expect([await create("b"), await create("b"), await create("b")]).toEqual([503, 503, 201]);
  expect(refused.met).toBe(2);
});

test.each<readonly [RefusalStatus, string | undefined, string | null]>([
  [401, "Unauthorized", null],
  [403, "Forbidden", null],
  [404, "NotFound", null],
  [409, "Conflict", null],
  [410, "Expired", null],
  [422, "Invalid", null],
  [500, undefined, null],
  [503, "ServiceUnavailable", "3"],
  [504, "Timeout", null],
])("a %i is a Status with its reason, and nothing was done", async (status, reason, retryAfter) => {
  await using test = await testCluster();
  test.cluster.faults.answer({ verb: "patch" }, { status, retryAfterSeconds: 3 });
  const answer = await test.apply(`${configMaps}/a`, named("a"));
  expect(answer).toMatchObject({ status, body: { kind: "Status", status: "Failure", code: status } });
  expect([answer.body.reason, answer.headers.get("retry-after")]).toEqual([reason, retryAfter]);
  expect(test.cluster.objects("ConfigMap").map(({ metadata }) => metadata.name)).not.toContain("a");
});

test("a 429 is the text that a real server was seen to send, with the time that it was told", async () => {
  await using test = await testCluster();
  const recorded = readTraces()
    .find(({ id }) => id === "08")
    ?.lines.find(({ n }) => n === 108);
  test.cluster.faults.answer({ times: 1 }, { status: 429, retryAfterSeconds: 7 });
  const answer = await test.get(configMaps);
  expect([answer.status, answer.body]).toEqual([429, recorded?.response.body]);
  expect(answer.headers.get("content-type")).toBe(recorded?.response.headers?.["content-type"]);
  expect(answer.headers.get("retry-after")).toBe("7");
});

test("a quota that is used up is a 403 that says so", async () => {
  await using test = await testCluster();
  test.cluster.faults.answer({ plural: "configmaps" }, "quota");
  const { status, body } = await test.apply(`${configMaps}/a`, named("a"));
  expect([status, body.reason]).toEqual([403, "Forbidden"]);
  expect(body.message).toMatch(
    /^configmaps "a" is forbidden: exceeded quota: plan, requested: .+, used: .+, limited: /,
  );
});

test("what is cut was not done, and what is lost was", async () => {
  await using test = await testCluster();
  const exists = async (): Promise<boolean> => (await test.get(`${configMaps}/a`)).status === 200;
  test.cluster.faults.answer({ verb: "patch", times: 1 }, "cut");
  await expect(test.apply(`${configMaps}/a`, named("a"))).rejects.toThrow("fetch failed");
  expect(await exists()).toBe(false);
  test.cluster.faults.answer({ verb: "patch", times: 1 }, "lost");
  await expect(test.apply(`${configMaps}/a`, named("a"))).rejects.toThrow("fetch failed");
  expect(await exists()).toBe(true);
});

test("a silent server neither answers nor hangs up, and still stops", async () => {
  const cluster = await testCluster();
  const silenced = cluster.cluster.faults.answer({}, "silent");
  const ended: string[] = [];
  const call = cluster.get("/version").then(
    () => ended.push("answered"),
    () => ended.push("broken"),
  );
  while (silenced.met === 0) await new Promise(setImmediate);
  cluster.cluster.faults.clear();
  // The same server answers others meanwhile.
  expect((await cluster.get("/version")).status).toBe(200);
  expect(ended).toEqual([]);
  await cluster.cluster.stop();
  await call;
  expect(ended).toEqual(["broken"]);
});

test("a watch can begin and say nothing, be told 410, or be refused", async () => {
  await using test = await testCluster();
  const { faults } = test.cluster;
  faults.answer({ verb: "watch", times: 1 }, "silent");
  const silent = test.watch(`${configMaps}?watch=true`);
  await expect.poll(() => silent.status).toBe(200);
  faults.answer({ verb: "watch", times: 1 }, { status: 410 });
  const expired = test.watch(`${configMaps}?watch=true`);
  await expired.until(({ state }) => state === "ended");
  expect(expired.events).toMatchObject([{ type: "ERROR", object: { code: 410, reason: "Expired" } }]);
  faults.answer({ verb: "watch", times: 1 }, { status: 403 });
  expect((await test.get(`${configMaps}?watch=true`)).body.message).toMatch(
    /^configmaps is forbidden: User ".+" cannot watch resource "configmaps" in API group "" in the namespace "default"$/,
  );
  await test.call("POST", configMaps, named("a"));
  expect([silent.state, silent.events]).toEqual(["open", []]);
  test.cluster.dropWatches();
  await silent.until(({ state }) => state === "broken");
});

test("a slow answer is the usual one, not earlier than told", async () => {
  await using test = await testCluster();
  test.cluster.faults.answer({ verb: "create" }, { delayMs: 60 });
  const begun = performance.now();
  expect((await test.call("POST", configMaps, named("a"))).status).toBe(201);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(59);
});

test("a share of the requests is drawn from the seed: the same ones each time, and about as many as told", async () => {
  const met = async (seed: number): Promise<string> => {
    await using test = await testCluster();
    test.cluster.faults.answer({ share: { of: 0.3, seed } }, { status: 500 });
    let pattern = "";
    for (let call = 0; call < 60; call += 1) pattern += (await test.get(configMaps)).status === 500 ? "x" : ".";
    return pattern;
  };
  const [one, again, other] = [await met(1), await met(1), await met(2)];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
  const count = one.replaceAll(".", "").length;
  expect(count).toBeGreaterThan(8);
  expect(count).toBeLessThan(30);
});

test("clear ends every one of them", async () => {
  await using test = await testCluster();
  test.cluster.faults.answer({}, { status: 500 });
  expect((await test.get(configMaps)).status).toBe(500);
  test.cluster.faults.clear();
  expect((await test.get(configMaps)).status).toBe(200);
});
