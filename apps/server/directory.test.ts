import { afterAll, beforeAll, expect, test } from "vitest";
import { orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;

beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

test("an operator looks a customer up by a part of the address, and from there all that is theirs", async () => {
  const [customer, operator] = [await house.customer(), await house.operator()];
  const { admin } = operator.api;
  const { instanceId, subscriptionId } = await orderFree(customer.api, "order-lookup");
  const { user, organization } = await customer.api.auth.me.query();
  const { items: people } = await admin.users.list.query({ search: user.email.slice(0, -2) });
  expect(people).toMatchObject([{ id: user.id, isOperator: false, organizations: [{ id: organization.id }] }]);
  expect(await admin.users.get.query({ userId: user.id })).toEqual(people[0]);
  const organizationId = people[0]!.organizations[0]!.id;
  expect(await admin.organizations.get.query({ organizationId })).toMatchObject({ liveSubscriptions: 1, members: 1 });
  const [order] = (await admin.orders.list.query({ organizationId })).items;
  expect(order).toMatchObject({ subscriptionId, offeringSlug: "uptime-kuma", total: { amountMinor: 0n } });
  expect(await admin.orders.get.query({ orderId: order!.id })).toEqual(order);
  const [subscription] = (await admin.subscriptions.list.query({ organizationId, status: "active" })).items;
  expect(subscription).toMatchObject({ id: subscriptionId, instanceId });
  expect(await admin.subscriptions.get.query({ subscriptionId })).toEqual(subscription);
  const [instance] = (await admin.instances.list.query({ search: instanceId })).items;
  expect(instance).toMatchObject({ id: instanceId, desiredPhase: "running", holds: [] });
  expect(await admin.instances.get.query({ instanceId })).toEqual(instance);
  const [payment] = (await admin.payments.list.query({ organizationId })).items;
  expect(payment).toMatchObject({ provider: "manual", amount: { amountMinor: 0n } });
  expect(await admin.payments.get.query({ paymentId: payment!.id })).toEqual(payment);
});

test("an operator sees the queue of the workers, puts a job forward and takes one out", async () => {
  const customer = await house.customer();
  const { admin } = (await house.operator()).api;
  const { instanceId } = await orderFree(customer.api, "order-queue");
  const { items } = await admin.jobs.list.query({ task: "instance:reconcile", status: "waiting" });
  const job = items.find(({ key }) => key !== null)!;
  expect(job).toMatchObject({ task: "instance:reconcile", attempts: 0, lastError: null });
  expect((await admin.instances.list.query({ search: instanceId })).items).toHaveLength(1);
  expect(await admin.jobs.get.query({ jobId: job.id })).toEqual(job);
  expect(await admin.jobs.retry.mutate({ jobId: job.id })).toMatchObject({
    id: job.id,
    status: "waiting",
    attempts: 0,
  });
  expect(await admin.jobs.cancel.mutate({ jobId: job.id })).toMatchObject({ id: job.id });
  const gone = { data: { appCode: "NOT_FOUND", httpStatus: 404 } };
  await expect(admin.jobs.get.query({ jobId: job.id })).rejects.toMatchObject(gone);
  await expect(admin.jobs.cancel.mutate({ jobId: "one" })).rejects.toMatchObject(gone);
});

test("nobody else looks anything up", async () => {
  const { admin } = (await house.customer()).api;
  const forbidden = { data: { appCode: "FORBIDDEN", httpStatus: 403 } };
  const calls = [admin.users.list.query({}), admin.instances.list.query({}), admin.jobs.list.query({})];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(forbidden)));
});
