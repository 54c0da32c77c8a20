import { z } from "zod";
import { BlueprintError, issueAt } from "./issue.ts";
import type { BlueprintIssue } from "./issue.ts";
import type { Path, Source } from "./position.ts";
import { maximumBytes, parseBytes, parseCpu } from "./quantity.ts";
import type { PlanLimits } from "./resolved-app.ts";
import { amount, identifier, slug, text } from "./schema/fields.ts";
import { throwIssues, validate } from "./schema/validate.ts";
import { readSource } from "./source.ts";

const currency = z.string().regex(/^[A-Z]{3}$/, "Write an ISO 4217 code such as IDR.");

const cpu = z.union([z.string(), z.number()]).transform((quantity, context): number => {
  const millis = parseCpu(String(quantity));
  if (millis !== null) return millis;
  context.addIssue({ code: "custom", message: "Write a quantity of CPU such as 250m or 1." });
  return z.NEVER;
});

const bytes = z.union([z.string(), z.number()]).transform((quantity, context): number => {
  const value = parseBytes(String(quantity));
  if (value !== null) return value;
  context.addIssue({ code: "custom", message: "Write a quantity of bytes such as 512Mi or 4Gi." });
  return z.NEVER;
});

const planLimits = z
  .strictObject({ cpuRequest: cpu, cpuLimit: cpu, memoryRequest: bytes, memoryLimit: bytes, storage: bytes })
  .superRefine((value, context) => {
    if (value.cpuRequest > value.cpuLimit)
      context.addIssue({ code: "custom", path: ["cpuRequest"], message: "The request is above the limit." });
    if (value.memoryRequest > value.memoryLimit)
      context.addIssue({ code: "custom", path: ["memoryRequest"], message: "The request is above the limit." });
  })
  .transform((value): PlanLimits => ({
    cpuRequestMillis: value.cpuRequest,
    cpuLimitMillis: value.cpuLimit,
    memoryRequestBytes: value.memoryRequest,
    memoryLimitBytes: value.memoryLimit,
    storageBytes: value.storage,
  }));

/** What use costs: `amount` for each `per` of the meter's unit, beyond what is `included` in each period. */
const usagePrice = z.strictObject({
  /** `cpu`, `memory`, `storage`, `running`, or one that the blueprint declares under `usage`. */
  meter: identifier,
  amount,
  per: amount.refine((per) => per !== "0", "Write more than 0.").default("1"),
  included: amount.default("0"),
});
/** What it costs the house, and how much is put on top of it: hundredths of one percent are the finest. */
const markup = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((value) => /^\d{1,4}(?:\.\d{1,2})?$/.test(value), "Write a percentage such as 35 or 12.5.");

const price = z
  .strictObject({
    currency,
    /** Per period. Either it, or what it is made of. */
    amount: amount.optional(),
    cost: amount.optional(),
    markup: markup.optional(),
    /** Once, with the first invoice. */
    setup: amount.optional(),
    /** So many first periods cost this; one trial per customer and offering. */
    trial: z.strictObject({ periods: z.int().min(1).max(36), amount }).optional(),
    usage: z.array(usagePrice).max(20).default([]),
  })
  .superRefine(({ amount: whole, cost, markup: percent }, context) => {
    const isWhole = whole !== undefined && cost === undefined && percent === undefined;
    const isMade = whole === undefined && cost !== undefined && percent !== undefined;
    if (!isWhole && !isMade) context.addIssue({ code: "custom", message: "Write either amount, or cost and markup." });
  });

/** A step that can be had several times beside a plan. It adds the same for good: who has it has counted on it. */
const addon = z.strictObject({
  // Becomes a key of an object.
  slug: slug.refine((name) => name !== "constructor" && name !== "prototype", "This name is reserved."),
  name: text(100),
  adds: z.strictObject({ storage: bytes }).transform(({ storage }) => ({ storageBytes: storage })),
  /** So many of it at most for one app. */
  max: z.int().min(1).max(1_000),
  /** Of each one, per period of the plan. */
  prices: z.array(z.strictObject({ currency, amount })).min(1, "An add-on needs a price, if only 0.").max(20),
});

const plan = z.strictObject({
  slug,
  name: text(100),
  summary: text(500).optional(),
  limits: planLimits,
  /** ISO 8601, whole days or months: `P30D`, `P1M`. */
  interval: z.string().regex(/^P(?:[1-9]\d{0,2}D|[1-9]\d?M)$/, "Write days or months, such as P30D or P1M."),
  gracePeriodDays: z.int().min(0).max(365).default(30),
  pastDueDays: z.int().min(0).max(90).default(0),
  nodePool: slug.default("default"),
  /** Nobody has it for two apps of the offering at once. For plans that cost nothing. */
  onePerPerson: z.boolean().default(false),
  prices: z.array(price).min(1, "A plan needs a price, if only 0.").max(20),
  addons: z.array(addon).max(20).default([]),
});

const offering = z.strictObject({
  slug,
  name: text(100),
  summary: text(500).optional(),
  /** A file beside the catalog file. */
  blueprint: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,60}\.(?:ya?ml|json)$/, "Write a file name such as uptime-kuma.yaml."),
  /** Where the operator filed the vendor's consent, for a blueprint whose licence needs it. Recorded, never interpreted. */
  agreement: text(200).optional(),
  plans: z.array(plan).min(1, "An offering needs a plan.").max(20),
});

/** What is for sale: offerings with their plans and prices. Limits come out as PlanLimits, amounts as decimal texts. */
export const catalogSchema = z.strictObject({ currency, offerings: z.array(offering).max(200) });

export type Catalog = z.output<typeof catalogSchema>;
export type CatalogOffering = z.output<typeof offering>;
export type CatalogPlan = z.output<typeof plan>;
export type CatalogAddon = CatalogPlan["addons"][number];
export type CatalogPrice = CatalogPlan["prices"][number];

/** Reads `catalog.yaml`. Throws BlueprintError with every issue, each with path, line and column. */
export function parseCatalog(text: string, options: { readonly filename?: string } = {}): Catalog {
  const source = readSource(text, options.filename);
  const { data, issues } = validate(catalogSchema, source.value, source);
  if (data === null) throw new BlueprintError(issues, source.filename);
  throwIssues(checkCatalog(data, source), source);
  return data;
}

function checkCatalog(catalog: Catalog, source: Source): BlueprintIssue[] {
  return [
    ...duplicates(source, catalog.offerings, (offering) => offering.slug, ["offerings"], "slug"),
    ...catalog.offerings.flatMap((offering, index) => {
      const path = ["offerings", index, "plans"];
      return [
        ...duplicates(source, offering.plans, (plan) => plan.slug, path, "slug"),
        ...offering.plans.flatMap(({ prices }, at) => checkPrices(catalog, prices, source, [...path, at, "prices"])),
        ...offering.plans.flatMap((plan, at) => checkAddons(catalog, plan, source, [...path, at])),
        ...offering.plans.flatMap((plan, at) => checkOnePerPerson(plan, source, [...path, at, "onePerPerson"])),
      ];
    }),
  ];
}

function checkPrices(catalog: Catalog, prices: CatalogPlan["prices"], source: Source, path: Path): BlueprintIssue[] {
  const issues = [
    ...duplicates(source, prices, (price) => price.currency, path, "currency"),
    ...prices.flatMap(({ usage }, at) =>
      duplicates(source, usage, ({ meter }) => meter, [...path, at, "usage"], "meter"),
    ),
  ];
  return [...issues, ...missingPrice(catalog, prices, source, path, "plan")];
}

function missingPrice(
  catalog: Catalog,
  prices: readonly { readonly currency: string }[],
  source: Source,
  path: Path,
  what: "plan" | "add-on",
): BlueprintIssue[] {
  if (prices.some((price) => price.currency === catalog.currency)) return [];
  const message = `The ${what} has no price in the catalog's currency, ${catalog.currency}.`;
  return [issueAt(source, { code: "NO_PRICE", path, message })];
}

function checkAddons(catalog: Catalog, plan: CatalogPlan, source: Source, at: Path): BlueprintIssue[] {
  const { addons, limits } = plan;
  const path = [...at, "addons"];
  const issues = [
    ...duplicates(source, addons, (addon) => addon.slug, path, "slug"),
    ...addons.flatMap(({ prices }, index) => {
      const list = [...path, index, "prices"];
      return [
        ...duplicates(source, prices, (price) => price.currency, list, "currency"),
        ...missingPrice(catalog, prices, source, list, "add-on"),
      ];
    }),
  ];
  const most = addons.reduce((sum, { adds, max }) => sum + adds.storageBytes * max, limits.storageBytes);
  if (most <= maximumBytes) return issues;
  const message = "All of its add-ons together are more storage than an app can have.";
  return [...issues, issueAt(source, { code: "INVALID_VALUE", path, message })];
}

/** Whoever pays may have as many as they pay for. */
function checkOnePerPerson({ onePerPerson, prices }: CatalogPlan, source: Source, path: Path): BlueprintIssue[] {
  const isNothing = (value: string | undefined): boolean => Number(value) === 0;
  const isFree = prices.every(
    ({ amount: whole, setup = "0", trial, usage }) =>
      isNothing(whole) && isNothing(setup) && trial === undefined && usage.length === 0,
  );
  if (!onePerPerson || isFree) return [];
  return [
    issueAt(source, { code: "INVALID_VALUE", path, message: "Only a plan that costs nothing is one per person." }),
  ];
}

function duplicates<T>(
  source: Source,
  items: readonly T[],
  key: (item: T) => string,
  path: Path,
  field: string,
): BlueprintIssue[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const name = key(item);
    const known = seen.has(name);
    seen.add(name);
    if (!known) return [];
    return [
      issueAt(source, { code: "DUPLICATE_NAME", path: [...path, index, field], message: `${name} stands here twice.` }),
    ];
  });
}
