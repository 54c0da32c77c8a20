import { z } from "zod";
import { auditEntryShape } from "../audit/schema.ts";
import { listShape, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  AdminAuditEntryDto,
  AdminAuditEntryPageDto,
  SearchAuditInput,
  VerifiedAuditDto,
  VerifyAuditInput,
} from "./dto.ts";

export const searchAuditInput: Schema<SearchAuditInput> = z.strictObject({
  ...listShape,
  organizationId: publicId.optional(),
  actor: z.strictObject({ type: z.enum(["user", "operator"]), id: publicId }).optional(),
  action: z
    .string()
    .regex(/^[A-Za-z.]{1,60}$/)
    .optional(),
});
export const verifyAuditInput: Schema<VerifyAuditInput> = z.strictObject({ organizationId: publicId.optional() });

const adminAuditEntrySchema: Schema<AdminAuditEntryDto> = z.strictObject({
  ...auditEntryShape,
  organizationId: z.string().nullable(),
});
export const adminAuditEntryPageSchema: Schema<AdminAuditEntryPageDto> = pageSchema(adminAuditEntrySchema);

export const verifiedAuditSchema: Schema<VerifiedAuditDto> = z.strictObject({
  entries: z.int(),
  fault: z
    .strictObject({ type: z.enum(["entry", "head", "checkpoint"]), id: z.string(), message: z.string() })
    .nullable(),
});
