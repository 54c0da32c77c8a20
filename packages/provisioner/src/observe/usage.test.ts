import { describe, expect, test } from "vitest";
import { labelKeys, namespaceName } from "../render/names.ts";
import { toMeasuredUsage, type OwnedVolume } from "./usage.ts";
import type { LivePodMetrics } from "./wire.ts";

const one = "0199aaaa-0000-7000-8000-000000000001";
const two = "0199aaaa-0000-7000-8000-000000000002";
const mebibyte = 1024 ** 2;

function pod(
  instanceId: string,
  workload: string | null,
  usages: readonly (readonly [cpu: string, memory: string])[],
  change: { readonly timestamp?: string; readonly namespace?: string } = {},
): LivePodMetrics {
  return {
    metadata: {
      name: `${workload ?? "claim"}-0`,
      namespace: change.namespace ?? namespaceName(instanceId),
      labels: {
        [labelKeys.managedBy]: "sewa",
        [labelKeys.instance]: instanceId,
        ...(workload === null ? {} : { [labelKeys.workload]: workload }),
      },
    },
    timestamp: change.timestamp ?? "2026-03-02T03:00:15Z",
    containers: usages.map(([cpu, memory], index) => ({ name: `c${index}`, usage: { cpu, memory } })),
  };
}

function volume(instanceId: string, capacityBytes: number | null, namespace = namespaceName(instanceId)): OwnedVolume {
  const state = capacityBytes === null ? ("pending" as const) : ("bound" as const);
  return { instanceId, namespace, fact: { name: "data", state, capacityBytes, growth: "none", createdAt: null } };
}

describe("what an instance used", () => {
  test("is told part by part, from all containers, as exactly as it was measured", () => {
    const pods = [
      pod(one, "app", [
        ["12345678n", "100Mi"],
        ["650u", "2048Ki"],
      ]),
      pod(one, "db", [["3m", "1048576"]], { timestamp: "2026-03-02T03:00:20Z" }),
      pod(two, "app", [["0", "0"]]),
    ];
    const [first, second] = toMeasuredUsage(pods, [volume(one, mebibyte), volume(one, 2 * mebibyte)]);
    expect(first).toEqual({
      instanceId: one,
      measuredAt: new Date("2026-03-02T03:00:20Z"),
      workloads: [
        { workload: "app", cpuMillis: expect.closeTo(12.995678, 9) as number, memoryBytes: 102 * mebibyte },
        { workload: "db", cpuMillis: 3, memoryBytes: mebibyte },
      ],
      storageBytes: 3 * mebibyte,
    });
    expect(second).toMatchObject({ instanceId: two, storageBytes: 0, workloads: [{ cpuMillis: 0, memoryBytes: 0 }] });
  });

  test("while it is stopped is its storage, as far as it was bound", () => {
    expect(toMeasuredUsage([], [volume(one, mebibyte), volume(one, null)])).toEqual([
      { instanceId: one, measuredAt: null, workloads: [], storageBytes: mebibyte },
    ]);
  });

  test("leaves out the pods of the claim job, and what only wears our labels", () => {
    const pods = [
      pod(one, null, [["900m", "1Gi"]]),
      pod(two, "app", [["900m", "1Gi"]], { namespace: "somebody-else" }),
      { metadata: { name: "x", namespace: namespaceName(one) }, timestamp: "2026-03-02T03:00:15Z", containers: [] },
    ];
    expect(toMeasuredUsage(pods, [volume(two, mebibyte, "somebody-else")])).toEqual([
      { instanceId: one, measuredAt: null, workloads: [], storageBytes: 0 },
    ]);
  });

  test("does not go on with a pod that is no longer measured", () => {
    const pods = [
      pod(one, "app", [["10m", "1Mi"]]),
      pod(one, "app", [["500m", "500Mi"]], { timestamp: "2026-03-02T02:59:00Z" }),
    ];
    expect(toMeasuredUsage(pods, [])).toMatchObject([{ workloads: [{ cpuMillis: 10, memoryBytes: mebibyte }] }]);
  });

  test.each([
    ["a quantity", pod(one, "db", [["lots", "1Mi"]])],
    ["a time", pod(one, "db", [["1m", "1Mi"]], { timestamp: "yesterday" })],
  ])("is unknown when %s of one of its pods cannot be read, and the others are told all the same", (_, broken) => {
    const pods = [pod(one, "app", [["10m", "1Mi"]]), broken, pod(two, "app", [["10m", "1Mi"]])];
    expect(toMeasuredUsage(pods, [])).toMatchObject([
      { instanceId: one, measuredAt: null, workloads: [] },
      { instanceId: two, workloads: [{ cpuMillis: 10 }] },
    ]);
  });
});
