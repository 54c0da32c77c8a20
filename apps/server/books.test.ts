import { fromPublicId, runBooksCheck } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const nobody = `org_${"0".repeat(26)}`;

test("nobody but an operator sees whose books are wrong, or lets their money move again", async () => {
  const { books } = (await house.customer()).api.admin;
  const calls = [
    books.findings.query({}),
    books.runs.query({}),
    books.unpark.mutate({ organizationId: nobody, reason: "Please." }),
  ];
  const forbidden = { data: { appCode: "FORBIDDEN", httpStatus: 403 } };
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(forbidden)));
});

test("a customer whose books are wrong is told that orders wait, until an operator has unparked it", async () => {
  const { api } = await house.customer();
  const { subscriptionId } = await orderFree(api, "order-0001");
  const operator = (await house.operator()).api.admin.books;
  const subscription = fromPublicId("subscription", subscriptionId)!;
  await house.sql(`update billing_periods set period_index = 3 where subscription_id = '${subscription}'`);
  await runBooksCheck(house.core, { mode: "recent" });

  const { items, nextCursor } = await operator.findings.query({});
  expect(nextCursor).toBeNull();
  expect(items.filter(({ kind }) => kind === "books")).toMatchObject([{ check: "M14", resolvedAt: null }]);
  const { organizationId, parkedAt } = items.find(({ check }) => check === "M14")!;
  expect(parkedAt).toBeInstanceOf(Date);
  expect((await operator.runs.query({ limit: 1 })).items).toMatchObject([{ mode: "recent", opened: items.length }]);
  await expect(orderFree(api, "order-0002")).rejects.toMatchObject({
    data: { appCode: "ACCOUNT_PARKED", httpStatus: 409 },
  });
  const log = await api.events.list.query({});
  expect(log.items.map(({ type }) => type)).toContain("organization.parked");
  expect(JSON.stringify(log)).not.toContain("M14");

  const asked = { organizationId: organizationId!, reason: "The number was put right." };
  await expect(operator.unpark.mutate(asked)).rejects.toMatchObject({
    message: "The books are still wrong: M14.",
    data: { appCode: "INVALID_TRANSITION", httpStatus: 409 },
  });
  await house.sql(`update billing_periods set period_index = 0 where subscription_id = '${subscription}'`);
  const unparked = await operator.unpark.mutate(asked);
  expect(unparked).toMatchObject({ organizationId, parkedAt: null });
  expect(await operator.unpark.mutate(asked)).toEqual(unparked);
  await orderFree(api, "order-0002");
  expect((await operator.findings.query({ status: "resolved" })).items.map(({ check }) => check)).toContain("M14");
  const [audited] = await house.sql("select actor, reason from audit_entries where action = 'organization.unparked'");
  expect(audited).toEqual({ actor: expect.stringMatching(/^operator:/) as string, reason: asked.reason });
});

test("what cannot be meant is refused, and whom there is not is not found", async () => {
  const { books } = (await house.operator()).api.admin;
  for (const organizationId of [nobody, "no id"]) {
    await expect(books.unpark.mutate({ organizationId, reason: "Please." })).rejects.toMatchObject({
      data: { appCode: "NOT_FOUND", httpStatus: 404 },
    });
  }
  for (const wrong of [{ limit: 0 }, { status: "all" }, { cursor: "nonsense" }]) {
    const asked = books.findings.query(wrong as Parameters<typeof books.findings.query>[0]);
    await expect(asked).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT", httpStatus: 400 } });
  }
  await expect(books.unpark.mutate({ organizationId: nobody, reason: "" })).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT" },
  });
});
