import { z } from "zod";
import { actorSchema } from "../events/schema.ts";
import { pageSchema, type Schema } from "../schema.ts";
import type { AuditEntryDto, AuditEntryPageDto } from "../events/dto.ts";

export const auditEntryShape = {
  id: z.string(),
  sequence: z.int(),
  action: z.string(),
  actor: actorSchema,
  subject: z.strictObject({ type: z.string(), id: z.string() }).nullable(),
  before: z.unknown(),
  after: z.unknown(),
  reason: z.string().nullable(),
  requestId: z.string().nullable(),
  clientAddress: z.string().nullable(),
  userAgent: z.string().nullable(),
  occurredAt: z.date(),
  recordedAt: z.date(),
};
const auditEntrySchema: Schema<AuditEntryDto> = z.strictObject(auditEntryShape);
export const auditEntryPageSchema: Schema<AuditEntryPageDto> = pageSchema(auditEntrySchema);
