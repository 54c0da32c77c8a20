import { fromPublicId } from "@sewa/core";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
let operator: Customer;
beforeAll(async () => {
  house = await startTestHouse();
  operator = await house.operator();
});
afterAll(() => house[Symbol.asyncDispose]());

const reason = "It sends spam to half of the island.";
const appCodeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "OK",
    (error: unknown) => (error instanceof TRPCClientError ? error.data.appCode : error),
  );

async function givenApp() {
  const customer = await house.customer();
  const { instanceId, subscriptionId } = await orderFree(customer.api, `order-${customer.email.replace(/\W/g, "-")}`);
  return { customer, instanceId, subscriptionId };
}

/** There is no worker here that could end what was begun. */
const settle = (): Promise<unknown> =>
  house.sql(`update operations set status = 'succeeded', finished_at = now() where status in ('queued', 'running')`);

const mailsAbout = (instanceId: string): Promise<readonly unknown[]> =>
  house.sql(
    `select data ->> 'message' as message from notifications where kind = 'app_held'
      and data ->> 'instanceId' = '${fromPublicId("instance", instanceId) ?? ""}'`,
  );

test("a held app is stopped whatever its customer asks for and pays, says why, and comes back as it was", async () => {
  const { customer, instanceId, subscriptionId } = await givenApp();
  const before = await customer.api.instances.get.query({ instanceId });
  const wish = { instanceId, kind: "abuse" as const, reason, idempotencyKey: "hold-spam" };
  const message = "Write to abuse@house.test.";
  const held = await operator.api.admin.instances.hold.mutate({ ...wish, message });
  expect(held).toMatchObject({ desiredPhase: "stopped", holds: [{ kind: "abuse", reason, message }] });
  expect(await operator.api.admin.instances.hold.mutate({ ...wish, message })).toEqual(held);
  expect(await appCodeOf(operator.api.admin.instances.hold.mutate(wish))).toBe("IDEMPOTENCY_KEY_REUSED");
  const shown = await customer.api.instances.get.query({ instanceId });
  expect(shown).toMatchObject({ desiredPhase: "stopped", reason: "HELD_FOR_ABUSE", message });
  expect(shown.revision).toBeGreaterThan(before.revision);
  expect(await mailsAbout(instanceId)).toEqual([{ message }]);
  await settle();
  await customer.api.subscriptions.renew.mutate({ subscriptionId, idempotencyKey: "renew-held" });
  expect(await customer.api.instances.get.query({ instanceId })).toMatchObject({ desiredPhase: "stopped" });
  const restart = { instanceId, idempotencyKey: "restart-held" };
  expect(await appCodeOf(customer.api.instances.restart.mutate(restart))).toBe("INVALID_TRANSITION");
  expect(await appCodeOf(operator.api.admin.instances.restart.mutate({ ...restart, reason }))).toBe(
    "INVALID_TRANSITION",
  );

  const entry = (await customer.api.audit.list.query({})).items.find(({ action }) => action === "instance.held");
  expect(entry).toMatchObject({
    actor: { type: "operator", id: null },
    reason: null,
    after: { kind: "abuse", message },
  });
  const ofHouse = await operator.api.admin.audit.list.query({ action: "instance.held" });
  expect(ofHouse.items[0]).toMatchObject({ reason });
  expect((await customer.api.events.list.query({ instanceId })).items.map(({ type }) => type)).toContain(
    "instance.held",
  );

  const other = { instanceId, kind: "operator" as const, reason, idempotencyKey: "release-other" };
  await operator.api.admin.instances.release.mutate(other);
  expect(await customer.api.instances.get.query({ instanceId })).toMatchObject({ desiredPhase: "stopped" });
  const free = { ...other, kind: "abuse" as const, idempotencyKey: "release-spam" };
  expect(await operator.api.admin.instances.release.mutate(free)).toMatchObject({ desiredPhase: "running", holds: [] });
  expect(await customer.api.instances.get.query({ instanceId })).toMatchObject({ reason: before.reason });
});

test("a hold that says nothing to the customer says the closed words, also of an app that was stopped already", async () => {
  const { customer, instanceId } = await givenApp();
  await settle();
  await customer.api.instances.stop.mutate({ instanceId, idempotencyKey: "stop-first" });
  const { revision } = await customer.api.instances.get.query({ instanceId });
  const wish = { instanceId, kind: "operator" as const, reason, idempotencyKey: "hold-quiet" };
  await operator.api.admin.instances.hold.mutate(wish);
  const shown = await customer.api.instances.get.query({ instanceId });
  expect(shown).toMatchObject({ reason: "HELD_BY_OPERATOR", message: "The operator has stopped this app." });
  expect(shown.revision).toBeGreaterThan(revision);
  expect(JSON.stringify(await customer.api.events.list.query({ instanceId }))).not.toContain(reason);
});

test("an operator restarts an app through a restart that hangs, and not while it is being made", async () => {
  const { customer, instanceId } = await givenApp();
  const wish = { instanceId, reason, idempotencyKey: "force-restart-1" };
  expect(await appCodeOf(operator.api.admin.instances.restart.mutate(wish))).toBe("OPERATION_IN_PROGRESS");
  await settle();
  const mine = await customer.api.instances.restart.mutate({ instanceId, idempotencyKey: "restart-mine" });
  await operator.api.admin.instances.restart.mutate(wish);
  await operator.api.admin.instances.restart.mutate(wish);
  expect(await customer.api.operations.get.query({ operationId: mine.id })).toMatchObject({ status: "cancelled" });
  const { items } = await customer.api.operations.list.query({ instanceId });
  expect(items.filter(({ kind }) => kind === "restart")).toHaveLength(2);
  expect(items[0]).toMatchObject({ kind: "restart", status: "queued" });
});

test("data goes at once only for who types the app's name", async () => {
  const { customer, instanceId, subscriptionId } = await givenApp();
  const wish = { instanceId, reason, confirmName: "Status", idempotencyKey: "remove-now-1" };
  expect(await appCodeOf(operator.api.admin.instances.remove.mutate(wish))).toBe("NAME_MISMATCH");
  const right = { ...wish, confirmName: "Status page", idempotencyKey: "remove-now-2" };
  expect(await operator.api.admin.instances.remove.mutate(right)).toMatchObject({ desiredPhase: "absent" });
  expect(await customer.api.subscriptions.get.query({ subscriptionId })).toMatchObject({ status: "cancelled" });
  const { items } = await customer.api.events.list.query({});
  expect(items.find(({ type }) => type === "instance.removalForced")).toMatchObject({ data: { deletesData: true } });
  const again = { instanceId, kind: "operator" as const, reason, idempotencyKey: "hold-ended" };
  expect(await appCodeOf(operator.api.admin.instances.hold.mutate(again))).toBe("INVALID_TRANSITION");
});
