import { z } from "zod";
import { moneySchema, opaque, pageSchema, type Schema } from "../schema.ts";
import type {
  AddonCountsDto,
  AddonDto,
  OfferingDetailDto,
  OfferingDto,
  OfferingInput,
  OfferingPageDto,
  ParameterDto,
  PlanDetailDto,
  PlanDto,
  PlanLimitsDto,
  UsagePriceDto,
  TrialDto,
} from "./dto.ts";

export const offeringInput: Schema<OfferingInput> = z.strictObject({ slug: opaque(100) });

export const planLimitsSchema: Schema<PlanLimitsDto> = z.strictObject({
  cpuRequestMillis: z.int(),
  cpuLimitMillis: z.int(),
  memoryRequestBytes: z.int(),
  memoryLimitBytes: z.int(),
  storageBytes: z.int(),
});

export const usagePriceShape = {
  meter: z.string(),
  label: z.string(),
  unit: z.string(),
  unitQuantity: z.bigint(),
  unitAmount: moneySchema,
  perQuantity: z.bigint(),
  includedQuantity: z.bigint(),
};
export const usagePriceSchema: Schema<UsagePriceDto> = z.strictObject(usagePriceShape);
export const trialSchema: Schema<TrialDto> = z.strictObject({ periods: z.int(), price: moneySchema });

const addonSlug = z
  .string()
  .regex(/^[a-z0-9-]{1,50}$/, "Use the slug of an add-on.")
  .refine((slug) => slug !== "constructor" && slug !== "prototype", "Use the slug of an add-on.");
/** Of a request. Which there are, and how many of each, the plan says. */
export const addonCounts: Schema<AddonCountsDto> = z
  .record(addonSlug, z.int())
  .refine((counts) => Object.keys(counts).length <= 20, "Send at most 20 add-ons.");
export const addonCountsSchema: Schema<AddonCountsDto> = z.record(z.string(), z.int());
const addonSchema: Schema<AddonDto> = z.strictObject({
  slug: z.string(),
  name: z.string(),
  addsStorageBytes: z.int(),
  maxCount: z.int(),
  price: moneySchema,
});

const planShape = {
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  limits: planLimitsSchema,
  interval: z.enum(["P30D", "P1M"]),
  gracePeriodDays: z.int(),
  pastDueDays: z.int(),
  price: moneySchema.nullable(),
  usagePrices: z.array(usagePriceSchema),
  addons: z.array(addonSchema),
  setup: moneySchema.nullable(),
  trial: trialSchema.nullable(),
};
const planSchema: Schema<PlanDto> = z.strictObject(planShape);

const value = z.union([z.string(), z.number(), z.boolean()]);
const parameterSchema: Schema<ParameterDto> = z.strictObject({
  name: z.string(),
  label: z.string(),
  type: z.enum(["string", "number", "integer", "boolean"]),
  required: z.boolean(),
  display: z.boolean(),
  immutable: z.boolean(),
  hint: z.string().nullable(),
  placeholder: z.string().nullable(),
  section: z.string().nullable(),
  allowedValues: z.array(z.strictObject({ value, label: z.string() })).nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  minLength: z.int().nullable(),
  maxLength: z.int().nullable(),
  default: value.nullable(),
});
const planDetailSchema: Schema<PlanDetailDto> = z.strictObject({ ...planShape, parameters: z.array(parameterSchema) });

const offeringShape = { id: z.string(), slug: z.string(), name: z.string(), summary: z.string() };
const offeringSchema: Schema<OfferingDto> = z.strictObject({ ...offeringShape, plans: z.array(planSchema) });
export const offeringPageSchema: Schema<OfferingPageDto> = pageSchema(offeringSchema);
export const offeringDetailSchema: Schema<OfferingDetailDto> = z.strictObject({
  ...offeringShape,
  plans: z.array(planDetailSchema),
});
