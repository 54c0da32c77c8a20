import { expect, test } from "vitest";
import { orderFree, startTestHouse } from "./test-house.ts";

test("members read what was done in their organization and from where, and operators what was done anywhere", async () => {
  await using house = await startTestHouse();
  const [mine, other, operator] = [await house.customer(), await house.customer(), await house.operator()];
  await orderFree(mine.api, "order-audit");
  const { items } = await mine.api.audit.list.query({});
  const { organization, user } = await mine.api.auth.me.query();
  const placed = items.find(({ action }) => action === "order.placed");
  expect(placed).toMatchObject({
    actor: { type: "user", id: user.id },
    subject: { type: "order", id: expect.stringMatching(/^ord_/) as string },
    clientAddress: expect.stringContaining("127.0.0.1") as string,
    requestId: expect.any(String) as string,
  });
  const others = (await other.api.audit.list.query({})).items.map(({ id }) => id);
  expect(items.filter(({ id }) => others.includes(id))).toEqual([]);

  const found = await operator.api.admin.audit.list.query({
    organizationId: organization.id,
    actor: { type: "user", id: user.id },
    action: "order.placed",
  });
  expect(found.items).toEqual([{ ...placed, organizationId: organization.id }]);
  expect(await operator.api.admin.audit.verify.query({ organizationId: organization.id })).toEqual({
    entries: items.length,
    fault: null,
  });
  expect(await operator.api.admin.audit.verify.query({})).toMatchObject({ fault: null });
  await expect(mine.api.admin.audit.list.query({})).rejects.toMatchObject({ data: { appCode: "FORBIDDEN" } });
  const nobody = { organizationId: `org_${"0".repeat(26)}` };
  await expect(operator.api.admin.audit.verify.query(nobody)).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
});
