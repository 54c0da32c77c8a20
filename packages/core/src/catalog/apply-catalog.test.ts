import { readdirSync, readFileSync } from "node:fs";
import { addonPrices, addons, blueprintVersions, prices } from "@sewa/db/schema";
import fc from "fast-check";
import superjson from "superjson";
import { expect, test } from "vitest";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { meteredFiles } from "../testing/metered.ts";
import { testCore } from "../testing/test-core.ts";
import { applyCatalog, listOfferings, listPlanPrices } from "./index.ts";
import { toPriceTerms } from "./price-terms.ts";

const folder = new URL("../../../blueprint/catalog/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const catalog = read("catalog.yaml");
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
const files = { catalog, blueprints: Object.fromEntries(names.map((name) => [name, read(name)])) };
const blueprint = read("uptime-kuma.yaml");
const withBlueprint = (text: string) => ({ ...files, blueprints: { ...files.blueprints, "uptime-kuma.yaml": text } });

test("applying it again changes nothing, and a dry run writes nothing", async () => {
  await using core = await testCore();
  const planned = await applyCatalog(core.ctx, files, { dryRun: true });
  expect((await listOfferings(core.ctx, {})).items).toEqual([]);

  expect(await applyCatalog(core.ctx, files)).toEqual(planned);
  expect(await applyCatalog(core.ctx, files)).toEqual([]);
  const { items } = await listOfferings(core.ctx, {});
  expect(items.find(({ slug }) => slug === "uptime-kuma")).toMatchObject({
    plans: [{ slug: "free" }, { slug: "small" }],
  });
});

test("a new price supersedes the old one, and who ordered before keeps theirs", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const before = await givenOrder(ctx, { plan: "small" });

  const changes = await applyCatalog(core.ctx, { ...files, catalog: catalog.replace("50000", "60000") });

  expect(changes).toEqual([{ action: "change", subject: "uptime-kuma/small", detail: "price IDR 60000" }]);
  expect(
    (await core.database.drizzle.select().from(prices)).filter(({ supersededAt }) => supersededAt !== null),
  ).toHaveLength(1);
  const after = await givenOrder(ctx, { plan: "small" });
  expect([before.order.totalMinor, after.order.totalMinor]).toEqual([50_000n, 60_000n]);
});

test("a changed price of use is another price, and who rents keeps theirs", async () => {
  await using core = await testCore();
  const usage = `[{ meter: storage, amount: "3", per: "10", included: "0.5" }, { meter: cpu, amount: "500" }]`;
  await applyCatalog(core.ctx, meteredFiles(usage));
  expect(await applyCatalog(core.ctx, meteredFiles(usage))).toEqual([]);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx);
  const changes = await applyCatalog(core.ctx, meteredFiles(`[{ meter: cpu, amount: "600", included: "10" }]`));
  expect(changes).toEqual([
    {
      action: "change",
      subject: "uptime-kuma/free",
      detail: "price IDR 0; cpu 600 per 1 core-hours, 10 included",
    },
  ]);
  const { price } = (await listOfferings(ctx, {})).items[0]!.plans[0]!;
  expect(price?.usage).toMatchObject([
    { meter: "cpu", label: "Processor", unitAmountMinor: 600n, perQuantity: 3_600_000n, includedQuantity: 36_000_000n },
  ]);
  expect(subscription.subscription.priceId).not.toBe(price?.id);
  await expect(core.database.drizzle.execute("update usage_prices set unit_amount_minor = 0")).rejects.toMatchObject({
    cause: { code: "42501" },
  });
});

test.each([
  ["a meter that nobody measures", `[{ meter: seats, amount: "1" }]`, "There is no meter seats"],
  ["a fraction of the smallest unit of money", `[{ meter: cpu, amount: "0.5" }]`, "more decimal places than IDR knows"],
  ["a part of a byte", `[{ meter: memory, amount: "1", per: "0.0001" }]`, "no whole number"],
  ["a price for nothing", `[{ meter: cpu, amount: "1", per: "0" }]`, "Write more than 0."],
  ["the same meter twice", `[{ meter: cpu, amount: "1" }, { meter: cpu, amount: "2" }]`, "stands here twice"],
])("a price of use with %s is refused", async (_, usage, why) => {
  await using core = await testCore();
  const refused = await applyCatalog(core.ctx, meteredFiles(usage)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Error);
  expect(JSON.stringify(refused)).toContain(why);
});

test("a changed blueprint becomes a version, and versions cannot be edited", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await applyCatalog(core.ctx, withBlueprint(`${blueprint}\n# changed\n`));
  const versions = await core.database.drizzle.select().from(blueprintVersions);
  expect(
    versions
      .filter(({ source }) => source.startsWith(blueprint))
      .map(({ version }) => version)
      .toSorted((a, b) => a - b),
  ).toEqual([1, 2]);
  await expect(core.database.drizzle.update(blueprintVersions).set({ source: "" })).rejects.toMatchObject({
    cause: { code: "42501" },
  });
});

test("what cannot be published is refused whole, with every issue and its place", async () => {
  await using core = await testCore();
  const broken = blueprint.replace(/image: (\S+):\S+/, "image: $1:latest");
  await expect(applyCatalog(core.ctx, withBlueprint(broken))).rejects.toMatchObject({
    code: "BLUEPRINT_INVALID",
    issues: expect.arrayContaining([
      expect.objectContaining({ path: expect.stringMatching(/^uptime-kuma\.yaml:\d+:\d+ /) }),
    ]),
  });
  await expect(applyCatalog(core.ctx, { catalog, blueprints: {} })).rejects.toMatchObject({
    code: "BLUEPRINT_INVALID",
  });
  expect((await listOfferings(core.ctx, {})).items).toEqual([]);
});

test("a cost and a mark-up make a price that operators see the making of, and customers do not", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  const made = catalog.replace(`amount: "50000"`, `cost: "33333", markup: "49.99", setup: "1000"`);
  const [change] = await applyCatalog(core.ctx, { ...files, catalog: made });
  expect(change).toEqual({
    action: "change",
    subject: "uptime-kuma/small",
    detail: "price IDR 49996, cost 33333 and 49.99 %, margin 16663, setup 1000",
  });
  expect(await applyCatalog(core.ctx, { ...files, catalog: made })).toEqual([]);
  const { items } = await listPlanPrices(core.ctx, {});
  const small = items.find(({ offeringSlug, slug }) => `${offeringSlug}/${slug}` === "uptime-kuma/small");
  expect(small?.prices).toMatchObject([{ amountMinor: 49_996n, costMinor: 33_333n, markupBasisPoints: 4_999 }]);
  const { ctx } = await givenCustomer(core.ctx);
  await expect(listPlanPrices(ctx, {})).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(superjson.stringify(await listOfferings(ctx, {}))).not.toMatch(/cost|markup/i);
});

test("a mark-up is exact to a hundredth of a percent, and its price is rounded once, half up", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), fc.integer({ min: 0, max: 999_999 }), (cost, basisPoints) => {
      const markup = `${Math.floor(basisPoints / 100)}.${String(basisPoints % 100).padStart(2, "0")}`;
      const { amountMinor } = toPriceTerms({ currency: "IDR", cost: cost.toString(), markup });
      const distance = 2n * (amountMinor * 10_000n - cost * (10_000n + BigInt(basisPoints)));
      expect(distance > -10_000n && distance <= 10_000n).toBe(true);
    }),
  );
  expect(toPriceTerms({ currency: "USD", cost: "0.01", markup: "50" }).amountMinor).toBe(2n);
});

test.each([
  ["neither an amount nor what it is made of", `setup: "1"`],
  ["both", `amount: "1", cost: "1", markup: "1"`],
  ["a cost without a mark-up", `cost: "1"`],
  ["a mark-up of less than nothing", `cost: "1", markup: "-1"`],
  ["a mark-up finer than a hundredth", `cost: "1", markup: "1.005"`],
  ["a trial of no period", `amount: "1", trial: { periods: 0, amount: "0" }`],
  ["a trial that is dearer than the price", `amount: "1", trial: { periods: 1, amount: "2" }`],
  ["an unknown word", `amount: "1", fee: "2"`],
])("a price with %s is refused whole", async (_, price) => {
  await using core = await testCore();
  const broken = catalog.replace(`amount: "50000"`, price);
  await expect(applyCatalog(core.ctx, { ...files, catalog: broken })).rejects.toMatchObject({
    issues: [{ path: expect.stringMatching(/prices|uptime-kuma\/small/) as string }],
  });
  expect((await listOfferings(core.ctx, {})).items).toEqual([]);
});

test("add-ons are added, changed and hidden with the catalog; what one adds never changes, and applying again changes nothing", async () => {
  await using core = await testCore();
  const withAddons = (list: string) => ({
    ...files,
    catalog: catalog.replace("nodePool: default", `nodePool: default\n        addons: [${list}]`),
  });
  const addon = (amount: string, { max = 8, storage = "32Gi" } = {}): string =>
    `{ slug: extra-storage, name: Extra storage, adds: { storage: ${storage} }, max: ${max}, prices: [{ currency: IDR, amount: "${amount}" }] }`;
  const offered = async () => (await listOfferings(core.ctx, {})).items[0]!.plans[0]!.addons;
  await applyCatalog(core.ctx, files);
  const subject = "uptime-kuma/free/extra-storage";

  expect(await applyCatalog(core.ctx, withAddons(addon("20000")))).toEqual([
    { action: "add", subject, detail: "add-on Extra storage, 32768 MiB, up to 8" },
    { action: "add", subject, detail: "price IDR 20000 each" },
  ]);
  expect(await applyCatalog(core.ctx, withAddons(addon("20000")))).toEqual([]);
  expect(await offered()).toMatchObject([
    { slug: "extra-storage", addsStorageBytes: 2 ** 35, maxCount: 8, price: { money: { amountMinor: 20_000n } } },
  ]);

  expect(await applyCatalog(core.ctx, withAddons(addon("25000", { max: 4 })))).toEqual([
    { action: "change", subject, detail: "maxCount" },
    { action: "change", subject, detail: "price IDR 25000 each" },
  ]);
  await expect(applyCatalog(core.ctx, withAddons(addon("25000", { storage: "64Gi" })))).rejects.toMatchObject({
    code: "BLUEPRINT_INVALID",
    issues: [{ path: subject, message: expect.stringContaining("another slug") }],
  });
  expect(await applyCatalog(core.ctx, files)).toEqual([
    { action: "hide", subject, detail: "no longer in the catalog" },
  ]);
  expect(await offered()).toEqual([]);
  const { drizzle } = core.database;
  await expect(drizzle.update(addonPrices).set({ amountMinor: 1n })).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/immutable|permission/) },
  });
  await expect(drizzle.update(addons).set({ addsStorageBytes: 1 })).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/immutable|permission/) },
  });
  expect(await drizzle.select().from(addonPrices)).toHaveLength(2);
});

test("an add-on of storage is refused for an app that stores nothing", async () => {
  await using core = await testCore();
  const whoami = `name: Whoami
license: { name: Apache-2.0, commercialHosting: allowed }
exposed: { workload: app, port: http }
resources:
  - id: app
    type: kubernetes-workload
    image: docker.io/traefik/whoami:v1.11.0
    ports: [{ name: http, port: 8080 }]
    security: { runAsUser: 65532 }
`;
  const storage = `{ slug: extra-storage, name: Extra storage, adds: { storage: 1Gi }, max: 1, prices: [{ currency: IDR, amount: "1" }] }`;
  const text = catalog.replace("nodePool: default", `nodePool: default\n        addons: [${storage}]`);
  await expect(applyCatalog(core.ctx, { ...withBlueprint(whoami), catalog: text })).rejects.toMatchObject({
    code: "BLUEPRINT_INVALID",
    issues: [{ path: "uptime-kuma/free/extra-storage" }],
  });
});
