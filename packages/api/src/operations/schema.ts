import { operationKinds, stepKeys } from "@sewa/core";
import { z } from "zod";
import { listShape, pageSchema, publicId, type Schema } from "../schema.ts";
import type { ListOperationsInput, OperationDto, OperationInput, OperationPageDto } from "./dto.ts";

export const operationInput: Schema<OperationInput> = z.strictObject({ operationId: publicId });
export const listOperationsInput: Schema<ListOperationsInput> = z.strictObject({
  ...listShape,
  instanceId: publicId.optional(),
});

const moment = z.date().nullable();

export const operationSchema: Schema<OperationDto> = z.strictObject({
  id: z.string(),
  instanceId: z.string(),
  kind: z.enum(operationKinds),
  status: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  steps: z.array(
    z.strictObject({
      key: z.enum(stepKeys),
      status: z.enum(["pending", "running", "done", "skipped", "failed"]),
      startedAt: moment,
      finishedAt: moment,
    }),
  ),
  attempt: z.int(),
  maxAttempts: z.int(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  createdAt: z.date(),
  startedAt: moment,
  deadlineAt: z.date(),
  finishedAt: moment,
});
export const operationPageSchema: Schema<OperationPageDto> = pageSchema(operationSchema);
