import { expect, test } from "vitest";
import type { CoreContext } from "../context.ts";
import { toPublicId } from "../ids.ts";
import { holdInstance } from "../instances/index.ts";
import { recordPayment } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import {
  findInstances,
  findOrders,
  findOrganizations,
  findPayments,
  findSubscriptions,
  findUsers,
  getInstanceEntry,
  getOrganizationEntry,
  getPaymentEntry,
  getUserEntry,
} from "./index.ts";

const operatorOf = (core: TestCore): CoreContext => core.ctx.as({ type: "operator", userId: core.ctx.ids.next() });

/** Two customers, each with a running app that was paid for by bank. */
async function givenHouse() {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const customers = [];
  for (const reference of ["BANK 7", "BANK 8"]) {
    const customer = await givenCustomer(core.ctx);
    const { subscription } = await givenOrder(customer.ctx, { plan: "small" });
    const { id: invoiceId, totalMinor: amountMinor, currency } = subscription.nextInvoice!;
    const house = core.ctx.forOrganization(customer.organizationId);
    await recordPayment(house, { invoiceId, amountMinor, currency, reference, idempotencyKey: "payment-1" });
    await provisionOnce(core.ctx, subscription.instanceId);
    customers.push({ ...customer, ...subscription });
  }
  const [first, second] = customers;
  return { core, operator: operatorOf(core), first: first!, second: second! };
}

test("an operator finds everything of all customers, newest first, and narrows it to one", async () => {
  const { core, operator, first, second } = await givenHouse();
  await using _ = core;
  const both = [second.organizationId, first.organizationId];
  for (const find of [findOrders, findSubscriptions, findInstances, findPayments] as const) {
    const { items } = await find(operator, {});
    expect(items.map(({ organizationId }) => organizationId)).toEqual(both);
    const own = await find(operator, { organizationId: first.organizationId });
    expect(own.items).toEqual(items.slice(1));
    expect(await find(operator, { organizationId: core.ctx.ids.next() })).toEqual({ items: [], nextCursor: null });
  }
  expect((await findOrganizations(operator, {})).items).toMatchObject([
    { id: second.organizationId, members: 1, liveSubscriptions: 1, parkedAt: null, isOnTestClock: false },
    { id: first.organizationId, members: 1, liveSubscriptions: 1, parkedAt: null, isOnTestClock: false },
  ]);
  const { items: people } = await findUsers(operator, {});
  expect(people.map(({ organizations }) => organizations.map(({ id, role }) => [id, role]))).toEqual(
    both.map((id) => [[id, "owner"]]),
  );
});

test("pages follow each other without a gap, and a cursor that nobody gave out is refused", async () => {
  const { core, operator, first, second } = await givenHouse();
  await using _ = core;
  const page = await findInstances(operator, { limit: 1 });
  expect(page.items.map(({ id }) => id)).toEqual([second.instanceId]);
  const next = await findInstances(operator, { limit: 1, cursor: page.nextCursor! });
  expect(next).toMatchObject({ items: [{ id: first.instanceId }], nextCursor: null });
  await expect(findInstances(operator, { cursor: "!" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("B50 what is searched for is an id, or a part of a name in any case, and no pattern", async () => {
  const { core, operator, first } = await givenHouse();
  await using _ = core;
  const user = (await findUsers(operator, {})).items[1]!;
  expect((await findUsers(operator, { search: user.email.toUpperCase() })).items).toEqual([user]);
  expect((await findUsers(operator, { search: toPublicId("user", user.id) })).items).toEqual([user]);
  expect((await findUsers(operator, { search: "%" })).items).toEqual([]);
  expect((await findPayments(operator, { search: "bank 7" })).items).toMatchObject([
    { organizationId: first.organizationId, reference: "BANK 7" },
  ]);
  const id = toPublicId("instance", first.instanceId);
  expect((await findInstances(operator, { search: id })).items.map((row) => row.id)).toEqual([first.instanceId]);
  // An order has no name of its own: it is found by its customer's.
  expect((await findOrders(operator, { search: id })).items).toEqual([]);
  expect((await findSubscriptions(operator, { status: "cancelled" })).items).toEqual([]);
  expect((await findSubscriptions(operator, { status: "active", search: "" })).items).toHaveLength(2);
  expect((await findInstances(operator, { observedPhase: "failed" })).items).toEqual([]);
});

test("an app shows what holds it back, and what nobody has is not found", async () => {
  const { core, operator, first } = await givenHouse();
  await using _ = core;
  const bound = operator.forOrganization(first.organizationId);
  await holdInstance(bound, {
    instanceId: first.instanceId,
    kind: "abuse",
    reason: "It sends spam.",
    idempotencyKey: "hold-it-now",
  });
  expect(await getInstanceEntry(operator, first.instanceId)).toMatchObject({
    desiredPhase: "stopped",
    holds: [{ kind: "abuse", reason: "It sends spam.", message: null }],
  });
  expect(await getOrganizationEntry(operator, first.organizationId)).toMatchObject({ liveSubscriptions: 1 });
  for (const get of [getInstanceEntry, getOrganizationEntry, getUserEntry, getPaymentEntry])
    await expect(get(operator, core.ctx.ids.next())).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("nobody but an operator looks anything up", async () => {
  const { core, first } = await givenHouse();
  await using _ = core;
  const calls = [findUsers(first.ctx, {}), getOrganizationEntry(first.ctx, first.organizationId)];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: "FORBIDDEN" })));
});
