import { changeStatuses } from "@sewa/core";
import { z } from "zod";
import { addonCounts, addonCountsSchema, planLimitsSchema } from "../offerings/schema.ts";
import { capacitySchema, parameterValues } from "../orders/schema.ts";
import { idempotencyKey, listShape, moneySchema, name, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  ChangeDto,
  ChangeEffectsDto,
  ChangeInput,
  ChangePageDto,
  ChangeRequestDto,
  ChangeShapeDto,
  ExecutePlanInput,
  ListPlansInput,
  PlanChangeInput,
} from "./change-dto.ts";

const request: Schema<ChangeRequestDto> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("resize"), planId: publicId }),
  z.strictObject({
    kind: z.literal("update"),
    parameters: parameterValues.optional(),
    addons: addonCounts.optional(),
  }),
  z.strictObject({ kind: z.literal("upgrade"), parameters: parameterValues.optional() }),
  z.strictObject({ kind: z.literal("deprovision") }),
]);

export const planChangeInput: Schema<PlanChangeInput> = z.strictObject({
  instanceId: publicId,
  change: request,
  idempotencyKey,
});
export const changeInput: Schema<ChangeInput> = z.strictObject({ changeId: publicId });
export const listPlansInput: Schema<ListPlansInput> = z.strictObject({
  ...listShape,
  instanceId: publicId.optional(),
});
export const executePlanInput: Schema<ExecutePlanInput> = z.strictObject({
  changeId: publicId,
  hash: z.string().regex(/^[0-9a-f]{32}$/, "Use the hash of the plan."),
  confirmName: name.optional(),
  idempotencyKey,
});

const shape: Schema<ChangeShapeDto> = z.strictObject({
  planId: z.string(),
  planName: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  addons: addonCountsSchema,
  limits: planLimitsSchema,
  price: moneySchema,
});

const effects: Schema<ChangeEffectsDto> = z.strictObject({
  objects: z.array(
    z.strictObject({
      kind: z.string(),
      name: z.string().nullable(),
      action: z.enum(["created", "changed", "deleted"]),
      fields: z.array(z.string()),
    }),
  ),
  dataLost: z.array(
    z.strictObject({ kind: z.enum(["volume", "secrets"]), name: z.string(), sizeBytes: z.number().nullable() }),
  ),
  warnings: z.array(
    z.strictObject({
      code: z.enum([
        "RESTARTS",
        "DATA_DELETED",
        "VOLUME_CANNOT_SHRINK",
        "VOLUME_CANNOT_GROW",
        "VOLUME_UNMOUNTED",
        "NOTHING_REFUNDED",
        "NEXT_PERIOD_REFUNDED",
        "RENEWAL_REOPENED",
        "NO_ROOM",
      ]),
      message: z.string(),
    }),
  ),
  capacity: capacitySchema,
  room: z.strictObject({ cpuMillis: z.int(), memoryBytes: z.int(), storageBytes: z.int() }),
});

const moment = z.date().nullable();

export const changeSchema: Schema<ChangeDto> = z.strictObject({
  id: z.string(),
  instanceId: z.string(),
  kind: z.enum(["resize", "update", "upgrade", "deprovision"]),
  status: z.enum(changeStatuses),
  reason: z
    .enum([
      "PLAN_STALE",
      "VOLUME_CANNOT_GROW",
      "OBJECT_REFUSED",
      "CLUSTER_UNREACHABLE",
      "OPERATION_FAILED",
      "SUPERSEDED",
      "NOT_APPROVED",
      "NOT_PAID",
      "NO_ROOM",
    ])
    .nullable(),
  message: z.string().nullable(),
  before: shape,
  after: shape.nullable(),
  due: moneySchema,
  effects: effects.nullable(),
  hash: z.string().nullable(),
  invoiceId: z.string().nullable(),
  operationId: z.string().nullable(),
  plannedAt: z.date(),
  expiresAt: z.date(),
  approvedAt: moment,
  endedAt: moment,
});
export const changePageSchema: Schema<ChangePageDto> = pageSchema(changeSchema);
