import { z } from "zod";
import { idempotencyKey, moneySchema, opaque, pageSchema, publicId, type Schema, text } from "../schema.ts";
import type { NodeDto, NodeInput, NodePageDto, RecordPaymentInput, ScheduleNodeInput } from "./dto.ts";

const nodeName = opaque(253);

export const nodeInput: Schema<NodeInput> = z.strictObject({ name: nodeName });
export const scheduleNodeInput: Schema<ScheduleNodeInput> = z.strictObject({
  name: nodeName,
  reason: text(1, 500).optional(),
});
export const recordPaymentInput: Schema<RecordPaymentInput> = z.strictObject({
  organizationId: publicId,
  invoiceId: publicId,
  amount: moneySchema,
  reference: text(1, 100),
  idempotencyKey,
});

export const nodeSchema: Schema<NodeDto> = z.strictObject({
  name: z.string(),
  role: z.enum(["control-plane", "worker"]),
  pool: z.string(),
  isReady: z.boolean(),
  isSchedulable: z.boolean(),
  desiredSchedulable: z.boolean().nullable(),
  allocatableCpuMillis: z.int(),
  allocatableMemoryBytes: z.int(),
  conditions: z.array(z.strictObject({ type: z.string(), status: z.string(), reason: z.string().nullable() })),
  firstSeenAt: z.date(),
  lastSeenAt: z.date(),
  removedAt: z.date().nullable(),
});
export const nodePageSchema: Schema<NodePageDto> = pageSchema(nodeSchema);
