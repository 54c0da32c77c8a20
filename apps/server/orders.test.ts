import { createInstanceStore, fromPublicId } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, orderFree, startTestHouse, type TestHouse, until } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

/** What the worker does for an app that comes up at once. */
async function bringUp(id: string): Promise<void> {
  const store = createInstanceStore(house.core, "test");
  await using lease = await until("the lease is free", () => store.lease(fromPublicId("instance", id) ?? ""));
  const loaded = await store.load(lease);
  if (loaded === null) throw new Error("The lease was lost.");
  await store.recordObserved(lease, loaded.spec.generation, {
    existence: "present",
    phase: "running",
    reason: null,
    message: null,
    pods: [
      {
        name: "kuma-0",
        workload: "kuma",
        phase: "Running",
        ready: true,
        restarts: 0,
        nodeName: "pc-2",
        reason: null,
        message: null,
        startedAt: "2026-11-21T08:00:00Z",
      },
    ],
    conditions: [{ type: "Healthy", status: "True", reason: null, message: null }],
    nodeName: "pc-2",
    ownerClaimed: true,
    steps: { ready: "done" },
  });
}

async function planOf({ api }: Customer, slug: string): Promise<string> {
  const { items } = await api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find((candidate) => candidate.slug === slug);
  if (plan === undefined) throw new Error("The catalog has no such plan.");
  return plan.id;
}

test("B69 B73 an order is placed once for its key, at the price that was quoted", async () => {
  const { api } = await house.customer();
  const offering = await api.offerings.get.query({ slug: "uptime-kuma" });
  expect(offering.plans.map(({ slug, price }) => [slug, price?.amountMinor])).toEqual([
    ["free", 0n],
    ["small", 50_000n],
  ]);
  await expect(api.offerings.get.query({ slug: "no-such" })).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
  const planId = offering.plans[1]!.id;
  const quote = await api.orders.quote.query({ planId, parameters: {} });
  expect(quote).toMatchObject({
    total: { amountMinor: 50_000n, currency: "IDR" },
    capacity: { fits: true, reason: null },
  });
  expect(quote.period.end.getTime() - quote.period.start.getTime()).toBe(30 * 24 * 3_600_000);

  const order = {
    planId,
    parameters: {},
    name: "Status page",
    priceKey: quote.priceKey,
    idempotencyKey: "the-same-key",
  };
  const [first, second] = await Promise.all([api.orders.place.mutate(order), api.orders.place.mutate(order)]);
  expect(second).toEqual(first);
  expect(first).toMatchObject({
    status: "awaiting_payment",
    subscription: { status: "pending", nextInvoice: { status: "open" } },
  });
  expect(await api.orders.get.query({ orderId: first.id })).toEqual(first);
  expect((await api.orders.list.query({})).items).toEqual([first]);
  await expect(api.orders.place.mutate({ ...order, name: "Another" })).rejects.toMatchObject({
    data: { appCode: "IDEMPOTENCY_KEY_REUSED", httpStatus: 409 },
  });
  const other = { ...order, priceKey: "0".repeat(32), idempotencyKey: "another-key" };
  await expect(api.orders.place.mutate(other)).rejects.toMatchObject({
    data: { appCode: "PRICE_CHANGED", httpStatus: 409 },
  });
});

test("orders that come at once each get an answer: as many as the organization may have, and a refusal for the rest", async () => {
  const { api } = await house.customer();
  const planId = (await api.offerings.get.query({ slug: "uptime-kuma" })).plans[0]!.id;
  const { priceKey } = await api.orders.quote.query({ planId, parameters: {} });
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      api.orders.place
        .mutate({ planId, parameters: {}, name: `App ${index}`, priceKey, idempotencyKey: `at-once-${index}` })
        .then(
          () => "placed",
          (error: { data?: { appCode?: string } }) => error.data?.appCode,
        ),
    ),
  );
  expect(answers.filter((answer) => answer === "placed")).toHaveLength(5);
  expect(answers.filter((answer) => answer === "QUOTA_EXCEEDED")).toHaveLength(3);
});

test("an invoice is paid by what an operator writes down, and by nothing else", async () => {
  const [customer, operator] = [await house.customer(), await house.operator()];
  const planId = await planOf(customer, "small");
  const { priceKey } = await customer.api.orders.quote.query({ planId, parameters: {} });
  const order = await customer.api.orders.place.mutate({
    planId,
    parameters: {},
    name: "Paid page",
    priceKey,
    idempotencyKey: "order-to-pay",
  });
  const { organization } = await customer.api.auth.me.query();
  const invoiceId = order.subscription.nextInvoice?.id ?? "";
  const payment = {
    organizationId: organization.id,
    invoiceId,
    amount: { amountMinor: 50_000n, currency: "IDR" },
    reference: "BCA 4711",
    idempotencyKey: "payment-4711",
  };
  await expect(customer.api.admin.payments.record.mutate(payment)).rejects.toMatchObject({
    data: { appCode: "FORBIDDEN" },
  });
  for (const wrong of [
    { organizationId: "org_00000000000000000000000000" },
    { organizationId: (await operator.api.auth.me.query()).organization.id },
  ]) {
    await expect(operator.api.admin.payments.record.mutate({ ...payment, ...wrong })).rejects.toMatchObject({
      data: { appCode: "NOT_FOUND" },
    });
  }
  await expect(
    operator.api.admin.payments.record.mutate({
      ...payment,
      amount: { amountMinor: 1n, currency: "IDR" },
      idempotencyKey: "payment-4712",
    }),
  ).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT" } });

  const part = { ...payment, amount: { amountMinor: 1n, currency: "IDR" }, reference: "BCA 4710" };
  const open = { ...part, amountMayDiffer: true, idempotencyKey: "payment-4710" };
  expect(await operator.api.admin.payments.record.mutate(open)).toMatchObject({ status: "open" });
  payment.amount.amountMinor -= 1n;

  const paid = await operator.api.admin.payments.record.mutate(payment);
  expect(paid).toMatchObject({
    status: "paid",
    payments: [{ reference: "BCA 4710" }, { reference: "BCA 4711" }],
    lines: [{ quantity: 1n }],
  });
  expect(await operator.api.admin.payments.record.mutate(payment)).toEqual(paid);
  expect(await customer.api.invoices.get.query({ invoiceId })).toEqual(paid);
  const { items } = await customer.api.invoices.list.query({ subscriptionId: order.subscription.id });
  expect(items).toEqual([paid]);
  expect(await customer.api.orders.get.query({ orderId: order.id })).toMatchObject({
    status: "completed",
    subscription: { status: "active" },
  });
});

test("an app that is up shows its pods, reveals what its owner needs, and is stopped, one thing at a time", async () => {
  const { api } = await house.customer();
  const { instanceId } = await orderFree(api, "order-for-app");
  await expect(api.instances.revealCredentials.mutate({ instanceId })).rejects.toMatchObject({
    data: { appCode: "INVALID_TRANSITION" },
  });
  await expect(api.instances.restart.mutate({ instanceId, idempotencyKey: "restart-1" })).rejects.toMatchObject({
    data: { appCode: "OPERATION_IN_PROGRESS", retryAfterSeconds: 15 },
  });
  await bringUp(instanceId);

  expect(await api.instances.get.query({ instanceId })).toMatchObject({
    isOpen: true,
    observedPhase: "running",
    operation: { status: "succeeded" },
  });
  const pods = await api.instances.pods.query({ instanceId });
  expect(pods.items).toMatchObject([{ name: "kuma-0", startedAt: new Date("2026-11-21T08:00:00Z") }]);
  expect(JSON.stringify(pods)).not.toContain("pc-2");
  const { credentials, url } = await api.instances.revealCredentials.mutate({ instanceId });
  expect(url).toMatch(/^http:\/\/.+\.apps\.test/);
  expect(credentials).not.toEqual([]);
  expect(credentials.every(({ value }) => value !== "")).toBe(true);

  const stop = await api.instances.stop.mutate({ instanceId, idempotencyKey: "stop-0001" });
  expect(stop).toMatchObject({ kind: "stop", status: "queued", instanceId });
  expect(await api.instances.stop.mutate({ instanceId, idempotencyKey: "stop-0001" })).toEqual(stop);
  expect(await api.operations.get.query({ operationId: stop.id })).toEqual(stop);
  const { items } = await api.operations.list.query({ instanceId });
  expect(items.map(({ kind }) => kind)).toEqual(["stop", "provision"]);
  await expect(api.instances.start.mutate({ instanceId, idempotencyKey: "start-001" })).rejects.toMatchObject({
    data: { appCode: "OPERATION_IN_PROGRESS" },
  });

  const seen = (await api.instances.events.query({ instanceId, limit: 100 })).items;
  expect(seen.map(({ type }) => type)).toContain("instance.credentialsRevealed");
  expect(JSON.stringify(seen)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7/);
});

test("a subscription is told to end, told not to, renewed, and ended by its name only", async () => {
  const { api } = await house.customer();
  const { subscriptionId, instanceId } = await orderFree(api, "order-to-cancel", "My page");
  const change = (idempotencyKey: string): { subscriptionId: string; idempotencyKey: string } => ({
    subscriptionId,
    idempotencyKey,
  });
  expect(await api.subscriptions.cancelAtPeriodEnd.mutate(change("cancel-01"))).toMatchObject({
    cancelAtPeriodEnd: true,
  });
  expect(await api.subscriptions.undoCancel.mutate(change("undo-0001"))).toMatchObject({ cancelAtPeriodEnd: false });
  expect(await api.subscriptions.renew.mutate(change("renew-001"))).toMatchObject({
    status: "active",
    nextInvoice: { status: "paid" },
  });
  await expect(api.subscriptions.renew.mutate(change("renew-002"))).rejects.toMatchObject({
    data: { appCode: "ALREADY_RENEWED" },
  });
  await expect(
    api.subscriptions.cancelNow.mutate({ ...change("end-00001"), confirmName: "my page" }),
  ).rejects.toMatchObject({
    data: { appCode: "NAME_MISMATCH", issues: [{ path: "confirmName" }] },
  });
  const ended = await api.subscriptions.cancelNow.mutate({ ...change("end-00002"), confirmName: "My page" });
  expect(ended).toMatchObject({ status: "cancelled", cancelReason: "customer" });
  expect(await api.subscriptions.get.query({ subscriptionId })).toEqual(ended);
  expect((await api.subscriptions.list.query({})).items).toEqual([ended]);
  expect((await api.instances.list.query({})).items).toEqual([]);
  expect((await api.instances.list.query({ includeRemoved: true })).items).toMatchObject([
    { id: instanceId, desiredPhase: "absent" },
  ]);
});

test("another plan is seen before it is taken, begins with the next period, is taken back, and is nobody else's to take", async () => {
  const [customer, stranger, operator] = [await house.customer(), await house.customer(), await house.operator()];
  const { api } = customer;
  const planId = await planOf(customer, "small");
  const { priceKey } = await api.orders.quote.query({ planId, parameters: {} });
  const order = { planId, parameters: {}, name: "Page", priceKey, idempotencyKey: "order-plan" };
  const { subscription } = await api.orders.place.mutate(order);
  const { organization } = await api.auth.me.query();
  await operator.api.admin.payments.record.mutate({
    organizationId: organization.id,
    invoiceId: subscription.nextInvoice?.id ?? "",
    amount: { amountMinor: 50_000n, currency: "IDR" },
    reference: "BCA 4720",
    idempotencyKey: "payment-4720",
  });
  await bringUp(subscription.instanceId);
  const asked = {
    subscriptionId: subscription.id,
    planId: await planOf(customer, "free"),
    moment: "period_end",
  } as const;
  await expect(stranger.api.subscriptions.previewChange.query(asked)).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
  const seen = await api.subscriptions.previewChange.query(asked);
  expect(seen).toMatchObject({
    priceBefore: { amountMinor: 50_000n },
    priceAfter: { amountMinor: 0n },
    lines: [{ description: "Uptime Kuma, Free" }],
    due: { amountMinor: 0n },
  });
  const change = { ...asked, at: seen.at, priceKey: seen.priceKey, idempotencyKey: "change-plan-1" };
  await expect(stranger.api.subscriptions.changePlan.mutate(change)).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
  await expect(
    api.subscriptions.changePlan.mutate({ ...change, priceKey: "0".repeat(32), idempotencyKey: "change-plan-2" }),
  ).rejects.toMatchObject({ data: { appCode: "PRICE_CHANGED" } });
  const changed = await api.subscriptions.changePlan.mutate(change);
  expect(changed).toMatchObject({ planName: "Small", nextPlan: { id: asked.planId, name: "Free" } });
  expect(await api.subscriptions.changePlan.mutate(change)).toEqual(changed);
  const undone = { subscriptionId: subscription.id, idempotencyKey: "undo-plan-1" };
  expect(await api.subscriptions.undoPlanChange.mutate(undone)).toMatchObject({ nextPlan: null });
});

test("lists are read page by page, each thing once", async () => {
  const { api } = await house.customer();
  await orderFree(api, "order-page-1", "One");
  await orderFree(api, "order-page-2", "Two");
  const sequences: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.events.list.query({ limit: 3, cursor });
    sequences.push(...page.items.map(({ sequence }) => sequence));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(sequences).toEqual(sequences.map((_, index) => sequences.length - index));
  const [newest] = (await api.orders.list.query({ limit: 1 })).items;
  expect(newest?.subscription.instanceName).toBe("Two");
});

test("a test clock goes where it is told, and forward only", async () => {
  const { api } = await house.customer();
  const { kind, now } = await api.clock.get.query();
  expect(kind).toBe("test");
  const to = new Date(now.getTime() + 31 * 24 * 3_600_000);
  expect(await api.clock.advance.mutate({ to })).toMatchObject({ kind: "test", target: to });
  await expect(api.clock.advance.mutate({ to: now })).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT" } });
});
