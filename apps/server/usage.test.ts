import { readdir, readFile } from "node:fs/promises";
import { applyCatalog, rateSimulatedUsage } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

const folder = new URL("../../packages/blueprint/catalog/", import.meta.url);
const coreHour = 3_600_000n;

let house: TestHouse;
let customer: Customer;
let stranger: Customer;
let subscriptionId: string;

/** An app that used half a core for two whole hours. */
beforeAll(async () => {
  house = await startTestHouse();
  await applyCatalog(house.core, await filesWithUsage());
  customer = await house.customer();
  stranger = await house.customer();
  const { items } = await customer.api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "free");
  const quote = await customer.api.orders.quote.query({ planId: plan!.id, parameters: {} });
  const order = { planId: plan!.id, parameters: {}, name: "Status page", idempotencyKey: "order-0001" };
  ({ id: subscriptionId } = (
    await customer.api.orders.place.mutate({ ...order, priceKey: quote.priceKey })
  ).subscription);
  // Nobody works in this house: what a cluster would have said, and the hours that went by, are written by hand.
  await house.sql("update instances set ready_at = now()");
  await house.sql(`
    insert into simulated_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds,
      memory_byte_seconds, storage_byte_seconds)
    select organization_id, id, date_trunc('hour', now()) + n * interval '1 hour', 3600, 1800000, 0, 0
    from instances, generate_series(1, 2) n`);
  await house.sql(
    "update test_clocks set now_at = now_at + interval '4 hours', target_at = target_at + interval '4 hours'",
  );
  const [row] = await house.sql("select organization_id as id from instances");
  await rateSimulatedUsage(house.core.forOrganization(String(row?.["id"])));
});
afterAll(() => house[Symbol.asyncDispose]());

async function filesWithUsage() {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")));
  const { "catalog.yaml": catalog = "", ...blueprints } = Object.fromEntries(
    names.map((name, index) => [name, texts[index] ?? ""]),
  );
  const price = `amount: "0", usage: [{ meter: cpu, amount: "500" }] }`;
  return { catalog: catalog.replace(`amount: "0" }`, price), blueprints };
}

test("an offering and a quote say what use costs", async () => {
  const { items } = await customer.api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "free");
  expect(plan!.usagePrices).toMatchObject([
    { meter: "cpu", unit: "core-hours", unitQuantity: coreHour, perQuantity: coreHour, includedQuantity: 0n },
  ]);
  const quote = await customer.api.orders.quote.query({ planId: plan!.id, parameters: {} });
  expect(quote.usagePrices).toEqual(plan!.usagePrices);
});

test("a customer sees what was used, what it costs, and what the next invoice would say", async () => {
  const { api } = customer;
  const rupiah = (amountMinor: bigint) => ({ amountMinor, currency: "IDR" });
  expect(await api.usage.current.query({ subscriptionId })).toMatchObject({
    subscriptionId,
    meters: [{ meter: "cpu", label: "Processor", quantity: coreHour, amount: rupiah(500n) }],
    total: rupiah(500n),
    cappedAt: null,
  });
  const { days } = await api.usage.history.query({ subscriptionId });
  expect(days.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(coreHour);
  const preview = await api.invoices.previewNext.query({ subscriptionId });
  expect(preview).toMatchObject({ subscriptionId, invoiceId: null, reason: "renewal", total: rupiah(500n) });
  expect(preview.lines).toMatchObject([
    { kind: "plan", usage: null },
    { kind: "usage", quantity: coreHour, amount: rupiah(500n), usage: { meter: "cpu", unitQuantity: coreHour } },
  ]);
  await api.subscriptions.renew.mutate({ subscriptionId, idempotencyKey: "renew-0001" });
  const { items } = await api.invoices.list.query({ subscriptionId });
  expect(items[0]).toMatchObject({ status: "open", total: rupiah(500n), lines: preview.lines });
  expect(await api.invoices.previewNext.query({ subscriptionId })).toMatchObject({
    invoiceId: items[0]!.id,
    lines: preview.lines,
  });
});

test("limits are set as often as wanted, and at the cap the app cannot be started", async () => {
  const { api } = customer;
  const limits = { subscriptionId, alertAmounts: [100n, 200n], capMinor: 300n };
  const answer = await api.usage.setLimits.mutate(limits);
  expect(answer).toMatchObject({ alerts: [{ amountMinor: 100n }, { amountMinor: 200n }], cap: { amountMinor: 300n } });
  expect(await api.usage.setLimits.mutate(limits)).toEqual(answer);
  expect(await api.usage.limits.query({ subscriptionId })).toEqual(answer);
  const { cappedAt, instanceId } = await api.subscriptions.get.query({ subscriptionId });
  expect(cappedAt).toBeInstanceOf(Date);
  await expect(api.instances.start.mutate({ instanceId, idempotencyKey: "start-0001" })).rejects.toMatchObject({
    data: { appCode: "SPENDING_CAPPED" },
  });
  for (const capMinor of [0n, -1n])
    await expect(api.usage.setLimits.mutate({ subscriptionId, capMinor })).rejects.toMatchObject({
      data: { appCode: "INVALID_INPUT" },
    });
  expect((await api.usage.setLimits.mutate({ subscriptionId })).cap).toBeNull();
  expect((await api.subscriptions.get.query({ subscriptionId })).cappedAt).toBeNull();
});

test("nobody else learns anything of it", async () => {
  const { usage, invoices } = stranger.api;
  const asked = [
    () => usage.current.query({ subscriptionId }),
    () => usage.history.query({ subscriptionId }),
    () => usage.limits.query({ subscriptionId }),
    () => usage.setLimits.mutate({ subscriptionId, capMinor: 1n }),
    () => invoices.previewNext.query({ subscriptionId }),
  ];
  for (const ask of asked) await expect(ask()).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
});
