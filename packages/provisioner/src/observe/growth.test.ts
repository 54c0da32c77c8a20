import { expect, test } from "vitest";
import { testApp, testSpec, testWorkload } from "../testing/specs.ts";
import { toVolumeFact, type VolumeFact } from "./facts.ts";
import { deriveGrowth } from "./growth.ts";
import type { LiveVolumeClaim } from "./wire.ts";

const gib = 2 ** 30;
const volumes = [
  { name: "data", mountPath: "/data", share: 0.75 },
  { name: "logs", mountPath: "/logs", share: 0.25 },
];
const app = testApp({ workloads: [testWorkload({ volumes })] });
const spec = testSpec({ app, limits: { ...testSpec().limits, storageBytes: 4 * gib } });
const stopped = { ...spec, phase: "stopped" } as const;

const volume = (name: string, capacity: number, growth: VolumeFact["growth"] = "none"): VolumeFact => ({
  name,
  state: "bound",
  capacityBytes: capacity * gib,
  growth,
  createdAt: null,
});

test.each([
  ["each has its part or more", "done", [volume("data", 3), volume("logs", 2)]],
  ["one is smaller, whatever the others have", "running", [volume("data", 2), volume("logs", 8)]],
  ["one is not seen yet", "running", [volume("data", 3)]],
  ["one could not grow", "failed", [volume("data", 2, "failed"), volume("logs", 0.5)]],
  ["one has grown although it could not at first", "done", [volume("data", 3, "failed"), volume("logs", 1)]],
  ["a larger disk waits for the node", "running", [volume("data", 2, "mount"), volume("logs", 1)]],
] as const)(
  "volumes of a running app are as large as they should be when the cluster has reported it: %s",
  (_, growth, seen) => {
    expect(deriveGrowth(spec, { volumes: seen })).toBe(growth);
  },
);

test("a stopped app has its storage when the disk is larger, as it is made use of at the next start; otherwise it waits too", () => {
  expect(deriveGrowth(stopped, { volumes: [volume("data", 2, "mount"), volume("logs", 1)] })).toBe("done");
  expect(deriveGrowth(stopped, { volumes: [volume("data", 2), volume("logs", 1)] })).toBe("running");
  expect(deriveGrowth(stopped, { volumes: [volume("data", 2, "failed"), volume("logs", 1)] })).toBe("failed");
});

const claim = (status: NonNullable<LiveVolumeClaim["status"]>): LiveVolumeClaim => ({
  metadata: { name: "data" },
  status: { phase: "Bound", capacity: { storage: "1Gi" }, ...status },
});
const condition = (type: string, status = "True") => ({ conditions: [{ type, status }] });

test.each([
  ["none", claim({})],
  ["none", claim(condition("Resizing"))],
  ["none", claim(condition("ControllerResizeError", "False"))],
  ["mount", claim(condition("FileSystemResizePending"))],
  ["failed", claim(condition("ControllerResizeError"))],
  ["failed", claim(condition("NodeResizeError"))],
  ["failed", claim({ allocatedResourceStatuses: { storage: "ControllerResizeInfeasible" } })],
  [
    "failed",
    claim({ ...condition("FileSystemResizePending"), allocatedResourceStatuses: { storage: "NodeResizeInfeasible" } }),
  ],
  ["none", claim({ allocatedResourceStatuses: { storage: "ControllerResizeInProgress" } })],
] as const)("what a claim reports of its growth is read as %s", (growth, live) => {
  expect(toVolumeFact(live)).toMatchObject({ capacityBytes: gib, growth });
});
