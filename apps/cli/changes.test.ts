import type { ChangeDto } from "@sewa/api";
import { expect, test } from "vitest";
import { toCounts } from "./commands/blueprint-input.ts";
import { describeChange } from "./commands/changes.ts";
import { UsageError } from "./failure.ts";

const limits = {
  cpuRequestMillis: 100,
  cpuLimitMillis: 500,
  memoryRequestBytes: 256 * 2 ** 20,
  memoryLimitBytes: 512 * 2 ** 20,
  storageBytes: 2 ** 30,
};
const change: ChangeDto = {
  id: "chg_1",
  instanceId: "ins_1",
  kind: "resize",
  status: "planned",
  reason: null,
  message: null,
  before: {
    planId: "pln_1",
    planName: "Free",
    parameters: { zone: "A" },
    addons: { "extra-storage": 1 },
    limits,
    price: { amountMinor: 0n, currency: "IDR" },
  },
  after: {
    planId: "pln_2",
    planName: "Small",
    parameters: { zone: "A" },
    addons: { "extra-storage": 1 },
    limits: { ...limits, memoryLimitBytes: 1024 * 2 ** 20 },
    price: { amountMinor: 50_000n, currency: "IDR" },
  },
  due: { amountMinor: 25_000n, currency: "IDR" },
  effects: {
    objects: [
      { kind: "Deployment", name: "app", action: "changed", fields: ["spec.template.spec"] },
      { kind: "Namespace", name: null, action: "deleted", fields: [] },
    ],
    dataLost: [{ kind: "volume", name: "data", sizeBytes: 2 ** 30 }],
    warnings: [{ code: "RESTARTS", message: "The app is away for a moment while it restarts." }],
    capacity: { fits: true, reason: null },
    room: { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 },
  },
  hash: "0f".repeat(16),
  invoiceId: null,
  operationId: null,
  plannedAt: new Date("2026-03-02T03:00:00Z"),
  expiresAt: new Date("2026-03-02T03:15:00Z"),
  approvedAt: null,
  endedAt: null,
};

test("a plan reads as a diff: what differs, what it costs, each object, what is lost, and the line that carries it out", () => {
  expect(describeChange(change).split("\n")).toEqual([
    "change  chg_1",
    "kind    resize",
    "status  planned",
    "",
    "plan: Free -> Small",
    "price: 0 IDR -> 50000 IDR",
    "memory: 256 MiB to 512 MiB -> 256 MiB to 1024 MiB",
    "to pay now: 25000 IDR",
    "",
    "~ Deployment app",
    "    spec.template.spec",
    "- Namespace",
    "! lost: volume data, 1024 MiB",
    "! The app is away for a moment while it restarts.",
    "",
    `Until 2026-03-02T03:15:00Z: sewa instances apply chg_1 --hash ${"0f".repeat(16)}`,
  ]);
});

test("what somebody typed cannot move the cursor of who reads it", () => {
  const before = { ...change.before, parameters: { zone: "\u001b[2Jx" } };
  expect(describeChange({ ...change, before })).toContain("zone: ?[2Jx -> A");
});

test("a removal says that nothing stays, and asks for the name", () => {
  const text = describeChange({ ...change, kind: "deprovision", after: null });
  expect(text).toContain("plan: Free -> none");
  expect(text).toMatch(/--confirm NAME$/);
});

test("more of an add-on reads as such, and what is no number is refused before anything is asked", () => {
  const after = { ...change.before, addons: { "extra-storage": 3 } };
  expect(describeChange({ ...change, kind: "update", after })).toContain("add-on extra-storage: 1 -> 3");
  expect(toCounts({ "extra-storage": "3" })).toEqual({ "extra-storage": 3 });
  for (const text of ["", "-1", "1.5", "many"]) expect(() => toCounts({ "extra-storage": text })).toThrow(UsageError);
});
