import { expect, test } from "vitest";
import { testCluster } from "../testing/client.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";

test("a watch from a compacted version gets one ERROR event with code 410 and ends; a new list goes on", async () => {
  await using test = await testCluster();
  const { body } = await test.get(configMaps);
  await test.call("POST", configMaps, { metadata: { name: "a" } });
  test.cluster.compact();
  const watch = test.watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
  await watch.until(({ state }) => state === "ended");
  expect(watch.events).toMatchObject([{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
  const fresh = await test.get(configMaps);
  const again = test.watch(`${configMaps}?watch=true&resourceVersion=${fresh.body.metadata.resourceVersion}`);
  await test.call("POST", configMaps, { metadata: { name: "b" } });
  await again.until(({ events }) => events.length === 1);
  expect(again.events[0]).toMatchObject({ type: "ADDED", object: { metadata: { name: "b" } } });
});

test("a page of a compacted list is answered 410 with a token for the rest, which then works", async () => {
  await using test = await testCluster();
  for (const name of ["a", "b", "c"]) await test.call("POST", configMaps, { metadata: { name } });
  const first = await test.get(`${configMaps}?limit=1`);
  test.cluster.compact();
  const token = (first.body.metadata as { continue?: string }).continue ?? "";
  const gone = await test.get(`${configMaps}?limit=1&continue=${token}`);
  expect(gone.status).toBe(410);
  const fresh = (gone.body.metadata as { continue?: string }).continue ?? "";
  const rest = await test.get(`${configMaps}?continue=${fresh}`);
  expect(rest.body.items.map((item) => item.metadata.name)).toEqual(["b", "c", "kube-root-ca.crt"]);
});

test("an exact list of a compacted version is answered 410", async () => {
  await using test = await testCluster();
  await test.call("POST", configMaps, { metadata: { name: "a" } });
  const { body } = await test.get(configMaps);
  await test.call("POST", configMaps, { metadata: { name: "b" } });
  const exact = `${configMaps}?resourceVersion=${body.metadata.resourceVersion}&resourceVersionMatch=Exact`;
  expect((await test.get(exact)).body.items).toHaveLength(2);
  test.cluster.compact();
  expect((await test.get(exact)).status).toBe(410);
});

test("dropped watches end with a reset connection, not with a clean end", async () => {
  await using test = await testCluster();
  const watch = test.watch(`${configMaps}?watch=true`);
  await watch.until(({ events }) => events.length > 0);
  test.cluster.dropWatches();
  await watch.until(({ state }) => state !== "open");
  expect(watch.state).toBe("broken");
});

test("bookmarks come before the end of a watch if something of the kind changed, in any namespace", async () => {
  await using test = await testCluster();
  const { body } = await test.get(configMaps);
  const version = body.metadata.resourceVersion;
  const quiet = test.watch(
    `${configMaps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${version}`,
  );
  await quiet.until(({ state }) => state === "ended");
  expect(quiet.events).toEqual([]);
  await test.call("POST", "/api/v1/namespaces/kube-public/configmaps", { metadata: { name: "elsewhere" } });
  // From the old version on, the change elsewhere is known, so the watch can tell how far it has come.
  const told = test.watch(
    `${configMaps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${version}`,
  );
  await test.call("POST", "/api/v1/namespaces/kube-public/configmaps", { metadata: { name: "later" } });
  await told.until(({ state }) => state === "ended", 5_000);
  expect(told.events.at(-1)?.type).toBe("BOOKMARK");
});

test("a watch without a version begins with the state, one with a version with what came after it", async () => {
  await using test = await testCluster();
  await test.call("POST", configMaps, { metadata: { name: "a", labels: { t: "1" } } });
  const { body } = await test.get(configMaps);
  const fromNow = test.watch(`${configMaps}?watch=true&labelSelector=t%3D1`);
  const later = test.watch(
    `${configMaps}?watch=true&labelSelector=t%3D1&resourceVersion=${body.metadata.resourceVersion}`,
  );
  await fromNow.until(({ events }) => events.length === 1);
  await test.call("PATCH", `${configMaps}/a`, { metadata: { labels: { t: "2" } } }, "application/merge-patch+json");
  await fromNow.until(({ events }) => events.length === 2);
  await later.until(({ events }) => events.length === 1);
  expect(fromNow.events.map(({ type }) => type)).toEqual(["ADDED", "DELETED"]);
  // Leaving the selection shows the old content.
  expect(later.events[0]).toMatchObject({ type: "DELETED", object: { metadata: { labels: { t: "1" } } } });
});

test("nothing is stored and no event is sent when a write changes nothing", async () => {
  await using test = await testCluster();
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { a: "1" } };
  const first = await test.apply(`${configMaps}/a`, config);
  const watch = test.watch(`${configMaps}?watch=true&resourceVersion=${first.body.metadata.resourceVersion}`);
  const second = await test.apply(`${configMaps}/a`, config);
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  await test.call("POST", configMaps, { metadata: { name: "mark" } });
  await watch.until(({ events }) => events.length > 0);
  expect(watch.events.map(({ object }) => object.metadata.name)).toEqual(["mark"]);
});
