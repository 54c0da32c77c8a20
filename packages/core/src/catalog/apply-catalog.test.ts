import { readdirSync, readFileSync } from "node:fs";
import { blueprintVersions, prices } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { meteredFiles } from "../testing/metered.ts";
import { testCore } from "../testing/test-core.ts";
import { applyCatalog, listOfferings } from "./index.ts";

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
