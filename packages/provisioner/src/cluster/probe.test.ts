import { expect, test } from "vitest";
import { startHttpServer } from "../testing/http-server.ts";
import { testSettings } from "../testing/specs.ts";
import { connectCluster } from "./connect.ts";
import { createHealthCheck, type HealthCheck } from "./health.ts";
import { probeApps } from "./probe.ts";

const log = { warn: (): void => undefined };

test("each app is asked by its own name, and is up when all of its addresses answer", async () => {
  const asked: string[] = [];
  await using ingress = await startHttpServer((request, response) => {
    asked.push(`${request.headers.host ?? ""}${request.url}`);
    const status = request.url === "/broken" ? 503 : request.headers.host === "unknown.apps.test" ? 404 : 302;
    response.writeHead(status).end();
  });
  await using cluster = connectCluster({
    kubeconfig: ingress.kubeconfig,
    settings: testSettings,
    log,
    ingressAddress: new URL(ingress.url).host,
  });
  expect(cluster.canProbe).toBe(true);
  const answers = await cluster.probe([
    { instanceId: "up", urls: ["https://up.apps.test/page", "https://up.apps.test/api"] },
    { instanceId: "half", urls: ["https://half.apps.test/broken", "https://half.apps.test/api"] },
    { instanceId: "unknown", urls: ["https://unknown.apps.test/"] },
  ]);
  expect([...answers]).toEqual([
    ["up", true],
    ["half", false],
    ["unknown", false],
  ]);
  expect(asked.toSorted()).toEqual([
    "half.apps.test/broken",
    "unknown.apps.test/",
    "up.apps.test/api",
    "up.apps.test/page",
  ]);
});

test("a thousand apps of which none answers are asked in few rounds, and no more at once than can be", async () => {
  let running = 0;
  let most = 0;
  let rounds = 0;
  // Every check of a round hangs until all places are taken, as an app does that does not answer.
  let release = Promise.withResolvers<void>();
  const health: HealthCheck = {
    async isHealthy() {
      running += 1;
      most = Math.max(most, running);
      const { promise } = release;
      setImmediate(() => {
        if (running === 0) return;
        rounds += 1;
        running = 0;
        release.resolve();
        release = Promise.withResolvers();
      });
      await promise;
      return false;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const apps = Array.from({ length: 1_000 }, (_, index) => ({
    instanceId: String(index),
    urls: ["http://a.test/", "http://a.test/second"],
  }));
  const answers = await probeApps(health, apps, undefined);
  expect([...answers.values()].filter(Boolean)).toEqual([]);
  expect(answers.size).toBe(1_000);
  expect(most).toBe(400);
  // Each round lasts as long as one check may at most, which is 5 s.
  expect(rounds).toBe(3);
});

test("who stops in the middle gets no answers, least of all that everybody is down", async () => {
  const stop = new AbortController();
  await using ingress = await startHttpServer(() => stop.abort(new Error("The worker stops.")));
  await using health = createHealthCheck(new URL(ingress.url).host);
  const apps = [{ instanceId: "one", urls: ["http://one.test/"] }];
  await expect(probeApps(health, apps, { signal: stop.signal })).rejects.toThrow("The worker stops.");
});

test("without the address of the ingress controller nobody can be asked", async () => {
  await using server = await startHttpServer((_, response) => response.end());
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  expect(cluster.canProbe).toBe(false);
  await expect(cluster.probe([])).rejects.toThrow("the ingress controller");
});
