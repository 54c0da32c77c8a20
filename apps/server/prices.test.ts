import { readdir, readFile } from "node:fs/promises";
import { applyCatalog } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestHouse, type TestHouse } from "./test-house.ts";

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
  const read = (file: string): Promise<string> => readFile(new URL(file, catalogFolder), "utf8");
  const names = (await readdir(catalogFolder)).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  const price = `cost: "40000", markup: "25", setup: "5000", trial: { periods: 2, amount: "1000" }`;
  await applyCatalog(house.core, {
    catalog: (await read("catalog.yaml")).replace(`amount: "50000"`, price),
    blueprints: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)]))),
  });
});
afterAll(() => house[Symbol.asyncDispose]());

const money = (amountMinor: bigint) => ({ amountMinor, currency: "IDR" });

test("B77 a plan says what its setup and its trial cost, a quote both periods, and a second trial is TRIAL_USED", async () => {
  const { api } = await house.customer();
  const { plans } = await api.offerings.get.query({ slug: "uptime-kuma" });
  const plan = plans.find(({ slug }) => slug === "small")!;
  expect(plan).toMatchObject({
    price: money(50_000n),
    setup: money(5_000n),
    trial: { periods: 2, price: money(1_000n) },
  });
  const wish = { planId: plan.id, parameters: {} };
  const quote = await api.orders.quote.query(wish);
  expect(quote).toMatchObject({
    total: money(6_000n),
    laterTotal: money(50_000n),
    trialPeriods: 2,
    couponPeriods: null,
  });
  const order = { ...wish, name: "Shop", priceKey: quote.priceKey, idempotencyKey: "order-0001" };
  // Agreed to with the trial, and asked for without.
  await expect(api.orders.place.mutate({ ...order, withTrial: false })).rejects.toMatchObject({
    data: { appCode: "PRICE_CHANGED", httpStatus: 409 },
  });
  const placed = await api.orders.place.mutate(order);
  const { lines } = await api.invoices.get.query({ invoiceId: placed.subscription.nextInvoice!.id });
  expect(lines.map(({ kind, amount }) => [kind, amount.amountMinor])).toEqual([
    ["plan", 1_000n],
    ["setup", 5_000n],
  ]);
  const used = { data: { appCode: "TRIAL_USED", httpStatus: 409 } };
  await expect(api.orders.quote.query(wish)).rejects.toMatchObject(used);
  await expect(api.orders.place.mutate({ ...order, idempotencyKey: "order-0002" })).rejects.toMatchObject(used);
  const regular = await api.orders.quote.query({ ...wish, withTrial: false });
  expect(regular).toMatchObject({ total: money(55_000n), trialPeriods: null });
  await expect(api.orders.quote.query({ ...wish, withTrial: "no" as never })).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT", httpStatus: 400 },
  });
});

test("what a price is made of is seen by operators, and by nobody else", async () => {
  const [operator, customer] = [await house.operator(), await house.customer()];
  const { items } = await operator.api.admin.plans.list.query({});
  expect(items.find(({ slug, offeringSlug }) => offeringSlug === "uptime-kuma" && slug === "small")?.prices).toEqual([
    {
      amount: money(50_000n),
      cost: money(40_000n),
      markupBasisPoints: 2_500,
      margin: money(10_000n),
      setup: money(5_000n),
      trial: { periods: 2, price: money(1_000n) },
    },
  ]);
  await expect(customer.api.admin.plans.list.query({})).rejects.toMatchObject({
    data: { appCode: "FORBIDDEN", httpStatus: 403 },
  });
  await expect(operator.api.admin.plans.list.query({ limit: 0 })).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT" },
  });
  const seen = await fetch(
    `${house.url}/trpc/offerings.list?input=${encodeURIComponent(JSON.stringify({ json: {} }))}`,
  );
  expect(await seen.text()).not.toMatch(/cost|markup|margin|40000/i);
});
