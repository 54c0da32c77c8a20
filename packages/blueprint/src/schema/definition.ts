import { z } from "zod";
import { limits } from "../limits.ts";
import { amount, byteQuantity, httpUrl, identifier, scalar, shortLabel, template, text } from "./fields.ts";
import { parameterSchema } from "./parameter.ts";
import { claimSchema } from "./workload.ts";
import type { ResourceDefinition } from "./workload.ts";

const secret = z.strictObject({
  name: z.string().regex(/^[a-z][A-Za-z0-9]{0,62}$/, "Use lower camel case."),
  label: text(200),
  generate: z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("random"),
      length: z.int().min(16, "At least 16 characters.").max(128).default(24),
      charset: z.enum(["alphanumeric", "hex", "password"]).default("alphanumeric"),
    }),
    z.strictObject({ type: z.literal("literal"), value: template(1_000) }),
  ]),
  reveal: z.enum(["owner", "never"]).default("never"),
});

const price = z.strictObject({
  label: text(200).optional(),
  /** Names the price at a payment provider. Read and kept; we do not use it. */
  billingIdentifier: text(200).optional(),
  /** What decides, mostly `${parameters.plan}`. Left out: the amount always applies. */
  target: template(limits.expressionCharacters).optional(),
  /** Equal to the target's value, or a condition in `${…}`. Left out: any value. */
  test: scalar.optional(),
  amount,
});

const meter = z.union(
  [
    template(limits.expressionCharacters),
    z.number(),
    z.strictObject({
      value: z.union([template(limits.expressionCharacters), z.number()]),
      label: text(200).optional(),
      unit: text(50).optional(),
      /** `amount` for each `per` of the quantity. */
      price: z.strictObject({ amount, per: z.number().positive().default(1) }).optional(),
    }),
  ],
  "Write an expression, a number, or { value, label, unit, price }.",
);

const license = z.strictObject({
  name: text(200),
  commercialHosting: z.enum(["allowed", "conditional", "needs-agreement"]),
  evidence: text(500).optional(),
});

const upstream = z.strictObject({
  version: text(50).optional(),
  homepage: httpUrl.optional(),
  documentation: httpUrl.optional(),
  source: httpUrl.optional(),
  changelog: httpUrl.optional(),
});

const backup = z.strictObject({
  /** `stop`: the app must be stopped while its files are copied. */
  quiesce: z.enum(["none", "stop"]).default("none"),
  paths: z.array(text(200)).max(20).default([]),
  notes: text(5_000).optional(),
});

/** Fields of the whole definition, but for its resources, whose shape depends on their type. */
export const definitionFields = {
  $schema: z.string().optional(),
  name: text(100).optional(),
  description: text(5_000).optional(),
  version: z
    .union([text(50), z.number()])
    .transform(String)
    .optional(),
  upstream: upstream.optional(),
  license: license.optional(),
  backup: backup.optional(),
  minMemory: byteQuantity.optional(),
  provisionDeadlineSeconds: z.int().min(60).max(3_600).default(300),
  parameters: z.array(parameterSchema).max(limits.parameters).default([]),
  settings: z.array(parameterSchema).max(limits.settings).default([]),
  secrets: z.array(secret).max(limits.secrets).default([]),
  exposed: z.strictObject({ workload: shortLabel, port: z.string() }).optional(),
  claim: claimSchema.optional(),
  prices: z.array(price).max(limits.prices).default([]),
  pricingModel: z.enum(["fixed", "pay_per_use"]).optional(),
  usage: z.record(identifier, meter).default({}),
  afterInstallationInstructions: template(10_000).optional(),
};

export const definitionSchema = z.strictObject({
  ...definitionFields,
  resources: z.array(z.unknown()).max(limits.resources).default([]),
});

/** A definition with every default filled in. Plain data. */
export type BlueprintDefinition = Omit<z.output<typeof definitionSchema>, "resources"> & {
  readonly resources: readonly ResourceDefinition[];
};
export type PriceDefinition = z.output<typeof price>;
export type MeterDefinition = z.output<typeof meter>;
export type SecretDefinition = z.output<typeof secret>;
