import { randomUUID } from "node:crypto";
import { startDevcluster } from "@sewa/devcluster";
import { describe, expect, test } from "vitest";
import { connectCluster } from "../cluster/connect.ts";
import { reconcileInstance } from "../reconcile.ts";
import { createMemoryStore } from "../testing/memory-store.ts";
import { testSettings } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import { validateManifest } from "../testing/validate-manifest.ts";
import { renderManifests } from "./index.ts";
import { catalogFiles, catalogSpec } from "./testing/catalog-spec.ts";

test("there is something to sell", () => {
  expect(catalogFiles).toEqual(["ghost.yaml", "n8n.yaml", "uptime-kuma.yaml", "wordpress.yaml"]);
});

describe.each(catalogFiles)("the app of %s", (file) => {
  test("renders objects that a real server's schema accepts, before and after its claim", () => {
    for (const ownerClaimed of [false, true]) {
      const manifests = renderManifests(catalogSpec(file, { ownerClaimed }), testSettings);
      expect(manifests.flatMap(validateManifest)).toEqual([]);
      expect(manifests.map(({ kind }) => kind)).toContain(ownerClaimed ? "Ingress" : "Job");
    }
  });

  test("runs no process as root", () => {
    const text = JSON.stringify(renderManifests(catalogSpec(file), testSettings));
    expect(text).not.toMatch(/"runAsUser":0\b/u);
  });

  test("writes no secret anywhere but into the Secret", () => {
    const manifests = renderManifests(catalogSpec(file), testSettings).filter(({ kind }) => kind !== "Secret");
    expect(JSON.stringify(manifests)).not.toContain("a-generated-value");
  });

  test("comes up within its quota and the restricted profile, is claimed and opens", async () => {
    const devcluster = await startDevcluster({ port: 0, pace: 0 });
    const log = { warn: (): void => undefined };
    const cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log });
    const instances = createMemoryStore();
    const spec = catalogSpec(file, { instanceId: randomUUID() });
    instances.set(spec);
    try {
      const { signal } = new AbortController();
      const seen = await until(
        `${file} runs`,
        async () => {
          await reconcileInstance({ instances, cluster }, spec.instanceId, { signal });
          return instances.observations(spec.instanceId).findLast(({ phase }) => phase === "running");
        },
        15_000,
      );
      expect(seen).toMatchObject({ ownerClaimed: true, reason: null });
      expect(seen.pods.map(({ workload }) => workload).toSorted()).toEqual(
        spec.app.workloads.map(({ id }) => id).toSorted(),
      );
    } finally {
      await cluster[Symbol.asyncDispose]();
      await devcluster.stop();
    }
  });
});
