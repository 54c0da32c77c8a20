import { expect, test } from "vitest";
import { compareBodies } from "./compare.ts";

test("what differs from run to run is no difference: uids, versions, times, addresses, generated names", () => {
  const theirs = {
    metadata: { name: "web-656f745cc7-tpcvk", uid: "bc859946-9934-4419-8a1e-42516967e520", resourceVersion: "1" },
  };
  const ours = {
    metadata: { name: "web-7d5b8c9f4d-xk2lp", uid: "00000000-9934-4419-8a1e-42516967e520", resourceVersion: "99" },
  };
  expect(compareBodies(theirs, ours, true)).toEqual([]);
});

test.each([
  ["a missing member", { spec: { a: 1 } }, { spec: {} }],
  ["a member too many", { spec: {} }, { spec: { a: 1 } }],
  ["another value", { reason: "NotFound" }, { reason: "Conflict" }],
  ["another type", { spec: { a: "1" } }, { spec: { a: 1 } }],
  ["a shorter list", { items: [{ a: 1 }, { a: 2 }] }, { items: [{ a: 1 }] }],
  ["another text", { message: 'configmaps "a" not found' }, { message: 'configmaps "b" not found' }],
  [
    "another owner of fields",
    {
      metadata: { managedFields: [{ manager: "a", operation: "Apply", apiVersion: "v1", fieldsV1: { "f:data": {} } }] },
    },
    { metadata: { managedFields: [{ manager: "a", operation: "Apply", apiVersion: "v1", fieldsV1: {} }] } },
  ],
])("%s is a difference", (_name, theirs, ours) => {
  expect(compareBodies(theirs, ours, true)).not.toEqual([]);
});

test("a status is compared only where controllers are known to have finished", () => {
  const [theirs, ours] = [{ status: { phase: "Active" } }, { status: { phase: "Terminating" } }];
  expect(compareBodies(theirs, ours, false)).toEqual([]);
  expect(compareBodies(theirs, ours, true)).toHaveLength(1);
});
