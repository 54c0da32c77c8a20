import { readdir, readFile } from "node:fs/promises";
import { applyCatalog } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);
const gib = 2 ** 30;

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
  const read = (file: string): Promise<string> => readFile(new URL(file, catalogFolder), "utf8");
  const names = (await readdir(catalogFolder)).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  const addon = `{ slug: extra-storage, name: Extra storage, adds: { storage: 32Gi }, max: 8, prices: [{ currency: IDR, amount: "20000" }] }`;
  await applyCatalog(house.core, {
    catalog: (await read("catalog.yaml")).replace("nodePool: default", `nodePool: default\n        addons: [${addon}]`),
    blueprints: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)]))),
  });
});
afterAll(() => house[Symbol.asyncDispose]());

const money = (amountMinor: bigint) => ({ amountMinor, currency: "IDR" });
const invalid = (path: string) => ({
  data: { appCode: "INVALID_INPUT", httpStatus: 400, issues: [expect.objectContaining({ path })] },
});

async function freePlan({ api }: Customer): Promise<string> {
  const { plans } = await api.offerings.get.query({ slug: "uptime-kuma" });
  const plan = plans.find(({ slug }) => slug === "free")!;
  expect(plan.addons).toEqual([
    {
      slug: "extra-storage",
      name: "Extra storage",
      addsStorageBytes: 32 * gib,
      maxCount: 8,
      price: money(20_000n),
    },
  ]);
  return plan.id;
}

test("add-ons are offered, quoted, ordered and invoiced with their number and their price", async () => {
  const customer = await house.customer();
  const { api } = customer;
  const wish = { planId: await freePlan(customer), parameters: {}, addons: { "extra-storage": 2 } };
  const quote = await api.orders.quote.query(wish);
  expect(quote).toMatchObject({ total: money(40_000n), laterTotal: money(40_000n) });
  expect(quote.lines.at(-1)).toEqual({
    description: "Extra storage",
    quantity: 2n,
    unitAmount: money(20_000n),
    perQuantity: 1n,
    amount: money(40_000n),
  });
  const order = { ...wish, name: "Shop", priceKey: quote.priceKey, idempotencyKey: "order-0001" };
  const placed = await api.orders.place.mutate(order);
  expect(await api.orders.place.mutate(order)).toEqual(placed);
  expect(placed.addons).toEqual({ "extra-storage": 2 });
  const instance = await api.instances.get.query({ instanceId: placed.subscription.instanceId });
  expect(instance.addons).toEqual({ "extra-storage": 2 });
  const { lines } = await api.invoices.get.query({ invoiceId: placed.subscription.nextInvoice!.id });
  expect(lines.at(-1)).toMatchObject({ kind: "addon", description: "Extra storage", amount: money(40_000n) });
});

test("B74 what a plan does not have so is INVALID_INPUT with its path, whatever is sent", async () => {
  const customer = await house.customer();
  const { api } = customer;
  const planId = await freePlan(customer);
  const quote = (addons: unknown) => api.orders.quote.query({ planId, parameters: {}, addons: addons as never });
  await expect(quote({ "extra-storage": 9 })).rejects.toMatchObject(invalid("addons.extra-storage"));
  await expect(quote({ "extra-storage": 0 })).rejects.toMatchObject(invalid("addons.extra-storage"));
  await expect(quote({ other: 1 })).rejects.toMatchObject(invalid("addons.other"));
  for (const addons of [
    { "extra-storage": "2" },
    { "extra-storage": 1.5 },
    { "extra-storage": -1 },
    { "extra-storage": 1e300 },
    { "A b": 1 },
    7,
  ])
    await expect(quote(addons)).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT", httpStatus: 400 } });
});

test("B84 a change to more of them is planned with what it costs and brings; fewer is refused, and a stranger sees nothing", async () => {
  const [customer, stranger] = [await house.customer(), await house.customer()];
  const { api } = customer;
  const wish = { planId: await freePlan(customer), parameters: {} };
  const { priceKey } = await api.orders.quote.query(wish);
  const { subscription } = await api.orders.place.mutate({
    ...wish,
    name: "Shop",
    priceKey,
    idempotencyKey: "order-0001",
  });
  const { instanceId } = subscription;
  // No worker runs here: the app is up all the same.
  await house.sql("update operations set status = 'succeeded', finished_at = now() where status = 'queued'");
  await house.sql("update instances set ready_at = now()");
  const plan = ({ api: its }: Customer, count: number, idempotencyKey: string) =>
    its.instances.plan.mutate({
      instanceId,
      change: { kind: "update", addons: { "extra-storage": count } },
      idempotencyKey,
    });
  const change = await plan(customer, 2, "change-001");
  expect(change).toMatchObject({
    kind: "update",
    status: "planning",
    before: { addons: {}, limits: { storageBytes: gib }, price: money(0n) },
    after: { addons: { "extra-storage": 2 }, limits: { storageBytes: 65 * gib }, price: money(40_000n) },
  });
  await house.sql(`update instances set addons = '{"extra-storage": 2}'`);
  await expect(plan(customer, 1, "change-002")).rejects.toMatchObject(invalid("addons.extra-storage"));
  await expect(plan(stranger, 3, "change-003")).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
});
