import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

test("nobody but an operator asks for an audit of the inventory, or reads what one found", async () => {
  const { admin } = (await house.customer()).api;
  const calls = [
    admin.inventory.audit.mutate(),
    admin.inventory.report.query({}),
    admin.inventory.list.query({}),
    admin.inventory.get.query({ findingId: "fnd_00000000000000000000000000" }),
  ];
  const forbidden = { data: { appCode: "FORBIDDEN", httpStatus: 403 } };
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(forbidden)));
});

test("an audit that waits is followed by its id, and asking again is told of the same one", async () => {
  const { inventory } = (await house.operator()).api.admin;
  const asked = await inventory.audit.mutate();
  expect(asked).toMatchObject({ status: "queued", startedAt: null, isWhole: null });
  expect((await inventory.audit.mutate()).id).toBe(asked.id);
  expect(await inventory.report.query({ auditId: asked.id })).toEqual({
    audit: asked,
    openFindings: 0,
    withoutPrice: 0,
    costPerDay: [],
  });
  // None has finished yet.
  expect(await inventory.report.query({})).toMatchObject({ audit: null });
  expect(await inventory.list.query({})).toEqual({ items: [], nextCursor: null });
});

test("what cannot be meant is refused, and what is not there is not found, whatever kind of id it is", async () => {
  const { inventory } = (await house.operator()).api.admin;
  const wrong = [
    { limit: 101 },
    { limit: 0 },
    { cursor: "nonsense" },
    { status: "all" },
    { kind: "zombie" },
    { page: 2 },
  ];
  for (const input of wrong) {
    const asked = inventory.list.query(input as Parameters<typeof inventory.list.query>[0]);
    await expect(asked).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT", httpStatus: 400 } });
  }
  const { id } = await inventory.audit.mutate();
  for (const findingId of ["fnd_00000000000000000000000000", id, "no id"])
    await expect(inventory.get.query({ findingId })).rejects.toMatchObject({
      data: { appCode: "NOT_FOUND", httpStatus: 404 },
    });
  await expect(inventory.report.query({ auditId: "aud_00000000000000000000000000" })).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
});
