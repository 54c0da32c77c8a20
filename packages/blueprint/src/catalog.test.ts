import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCatalog } from "./catalog.ts";
import { checkBlueprint } from "./check-blueprint.ts";
import { BlueprintError } from "./issue.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import { planFits } from "./plan-fits.ts";
import { catalogText, planLimits } from "./testing/definitions.ts";

const folder = new URL("../catalog/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
const read = (file: string): Blueprint => parseBlueprint(readFileSync(new URL(file, folder), "utf8"));
/** What a line of the shipped catalog leaves to the operator. */
const withN8n = catalogText.replaceAll(/^ {2}# (?= *- slug: n8n| {2})/gm, "  ");

/** Offerings whose blueprint is missing, cannot be published, or does not fit a plan. */
function problems(text: string): unknown[] {
  return parseCatalog(text).offerings.flatMap(({ slug, blueprint: file, agreement, plans }) => {
    if (!files.includes(file)) return [`${slug}: no ${file}`];
    const blueprint = read(file);
    const misfits = plans.flatMap((plan) => planFits(blueprint, plan.limits) ?? []);
    return [...checkBlueprint(blueprint, "publish", { agreement }), ...misfits];
  });
}

test("the catalog that we ship can be applied as it is, and begins with something free", () => {
  const { offerings, currency } = parseCatalog(catalogText);
  expect(currency).toBe("IDR");
  expect(problems(catalogText)).toEqual([]);
  expect(offerings[0]?.plans[0]?.prices).toEqual([{ currency: "IDR", amount: "0", usage: [] }]);
});

test("every blueprint that we ship can be published, or needs no more than an agreement, and fits 1 vCPU and 1 GiB", () => {
  expect(files).toEqual(["ghost.yaml", "n8n.yaml", "uptime-kuma.yaml", "wordpress.yaml"]);
  for (const file of files) {
    const blueprint = read(file);
    expect(checkBlueprint(blueprint, "publish", { agreement: "contract 2026-117" })).toEqual([]);
    expect(planFits(blueprint, planLimits)).toBeNull();
  }
});

test("n8n is not offered, and its marked lines offer it only together with an agreement", () => {
  expect(parseCatalog(catalogText).offerings.map(({ slug }) => slug)).not.toContain("n8n");
  expect(parseCatalog(withN8n).offerings.at(-1)).toMatchObject({ slug: "n8n", agreement: expect.any(String) });
  expect(problems(withN8n)).toEqual([]);
  expect(problems(withN8n.replace(/^ +agreement:.*\n/m, ""))).toMatchObject([
    { code: "AGREEMENT_REQUIRED", severity: "error", path: "license.commercialHosting" },
  ]);
});

test("limits become whole units, amounts texts, and what is left out gets its default", () => {
  const [offering] = parseCatalog(catalogText).offerings;
  expect(offering?.plans.map(({ slug, prices }) => [slug, prices])).toEqual([
    ["free", [{ currency: "IDR", amount: "0", usage: [] }]],
    ["small", [{ currency: "IDR", amount: "50000", usage: [] }]],
  ]);
  expect(offering?.plans[1]?.limits).toEqual({
    cpuRequestMillis: 250,
    cpuLimitMillis: 1_000,
    memoryRequestBytes: 536_870_912,
    memoryLimitBytes: 1_073_741_824,
    storageBytes: 4_294_967_296,
  });
  const short = catalogText.replaceAll(/^ {8}(?:gracePeriodDays|pastDueDays|nodePool):.*\n/gm, "");
  expect(parseCatalog(short)).toEqual(parseCatalog(catalogText));
});

function issues(text: string): string[] {
  try {
    parseCatalog(text);
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    return error.issues.map(({ code, path, line, column }) => `${code} ${path} ${line}:${column}`);
  }
  return [];
}

const addon = `{ slug: extra-storage, name: Extra storage, adds: { storage: 32Gi }, max: 8, prices: [{ currency: IDR, amount: "20000" }] }`;
const withAddons = (list: string): string =>
  catalogText.replace("nodePool: default", `nodePool: default\n        addons: [${list}]`);

test("an add-on is a step of storage, with how many there may be and what each costs; without any a plan has none", () => {
  const [free, small] = parseCatalog(withAddons(addon)).offerings[0]!.plans;
  expect(free?.addons).toEqual([
    {
      slug: "extra-storage",
      name: "Extra storage",
      adds: { storageBytes: 32 * 2 ** 30 },
      max: 8,
      prices: [{ currency: "IDR", amount: "20000" }],
    },
  ]);
  expect(small?.addons).toEqual([]);
});

test.each([
  [
    "something that cannot be added",
    ["storage: 32Gi", "cpu: 1"],
    ["INVALID_VALUE adds.storage", "UNKNOWN_FIELD adds.cpu"],
  ],
  ["nothing that is added", ["storage: 32Gi", "storage: 0"], ["INVALID_VALUE adds.storage"]],
  ["none at most", ["max: 8", "max: 0"], ["INVALID_VALUE max"]],
  ["a name that no object may have", ["slug: extra-storage", "slug: constructor"], ["INVALID_VALUE slug"]],
  ["a negative amount", ['amount: "20000"', 'amount: "-1"'], ["INVALID_VALUE prices[0].amount"]],
  ["no price in the catalog's currency", ["currency: IDR", "currency: USD"], ["NO_PRICE prices"]],
])("of an add-on, %s is named with its path", (_name, [from, to], expected) => {
  const path = "offerings[0].plans[0].addons[0]";
  expect(issues(withAddons(addon.replace(from!, to!))).map((issue) => issue.replace(/ \d+:\d+$/, ""))).toEqual(
    expected.map((issue) => issue.replace(" ", ` ${path}.`)),
  );
});

test("two add-ons of one slug, and more storage than an app can have, are refused", () => {
  const path = "offerings[0].plans[0].addons";
  expect(issues(withAddons(`${addon}, ${addon}`))).toEqual([expect.stringContaining(`DUPLICATE_NAME ${path}[1].slug`)]);
  const huge = addon.replace("32Gi", "1000Ti").replace("max: 8", "max: 1000");
  expect(issues(withAddons(huge))).toEqual([expect.stringContaining(`INVALID_VALUE ${path} `)]);
});

describe("a slip is named with path, line and column", () => {
  const plan = "offerings[0].plans[0]";
  test.each([
    [
      "an exponent in a quantity",
      ["cpuRequest: 100m", "cpuRequest: 1e3"],
      `INVALID_VALUE ${plan}.limits.cpuRequest 12:31`,
    ],
    ["part of a milli", ["cpuRequest: 100m", "cpuRequest: 0.1m"], `INVALID_VALUE ${plan}.limits.cpuRequest 12:31`],
    [
      "a request above its limit",
      ["cpuRequest: 100m", 'cpuRequest: "2"'],
      `INVALID_VALUE ${plan}.limits.cpuRequest 12:31`,
    ],
    ["an interval of hours", ["interval: P30D", "interval: PT720H"], `INVALID_VALUE ${plan}.interval 13:19`],
    ["a negative amount", ['amount: "0"', 'amount: "-1"'], `INVALID_VALUE ${plan}.prices[0].amount 17:43`],
    [
      "no price in the catalog's currency",
      ["currency: IDR, amount", "currency: USD, amount"],
      `NO_PRICE ${plan}.prices 17:17`,
    ],
    ["two plans of one slug", ["slug: small", "slug: free"], "DUPLICATE_NAME offerings[0].plans[1].slug 18:15"],
    ["a file elsewhere", ["uptime-kuma.yaml", "../secret.yaml"], "INVALID_VALUE offerings[0].blueprint 6:16"],
    [
      "an agreement without words",
      ["summary: Monitoring", 'agreement: ""\n    summary: Monitoring'],
      "INVALID_VALUE offerings[0].agreement 7:16",
    ],
    ["an unknown field", ["nodePool: default", "pool: default"], `UNKNOWN_FIELD ${plan}.pool 16:9`],
    ["no plans", [/plans:[^]*/, "plans: []\n"], "INVALID_VALUE offerings[0].plans 8:12"],
  ])("%s", (_name, [from, to], expected) => {
    expect(issues(catalogText.replace(from as string, to as string))).toEqual([expected]);
  });
});

test.each([
  ["costs something", `[{ currency: IDR, amount: "1" }]`],
  ["has a setup fee", `[{ currency: IDR, amount: "0", setup: "1" }]`],
  ["costs by use", `[{ currency: IDR, amount: "0", usage: [{ meter: cpu, amount: "1" }] }]`],
  ["costs something in another currency", `[{ currency: IDR, amount: "0" }, { currency: USD, amount: "1" }]`],
  ["is marked up", `[{ currency: IDR, cost: "0", markup: "5" }]`],
])("a plan that %s is not one per person", (_, prices) => {
  const free = `prices: [{ currency: IDR, amount: "0" }]`;
  const limited = (own: string): string => catalogText.replace(free, `onePerPerson: true\n        prices: ${own}`);
  expect(parseCatalog(limited(`[{ currency: IDR, amount: "0" }]`)).offerings[0]?.plans[0]?.onePerPerson).toBe(true);
  expect(() => parseCatalog(limited(prices))).toThrow(BlueprintError);
});
