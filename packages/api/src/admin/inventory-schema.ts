import { findingActions, findingKinds, findingSeverities } from "@sewa/core";
import { z } from "zod";
import { listShape, moneySchema, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  InventoryAuditDto,
  InventoryDetailsDto,
  InventoryFindingDto,
  InventoryFindingInput,
  InventoryFindingPageDto,
  InventoryReportDto,
  InventoryReportInput,
  InventoryRequestsDto,
  InventorySubjectDto,
  ListInventoryInput,
} from "./dto.ts";

export const listInventoryInput: Schema<ListInventoryInput> = z.strictObject({
  ...listShape,
  status: z.enum(["open", "resolved"]).optional(),
  kind: z.enum(findingKinds).optional(),
});
export const inventoryFindingInput: Schema<InventoryFindingInput> = z.strictObject({ findingId: publicId });
export const inventoryReportInput: Schema<InventoryReportInput> = z.strictObject({ auditId: publicId.optional() });

const subjectSchema: Schema<InventorySubjectDto> = z.strictObject({
  kind: z.string(),
  namespace: z.string().nullable(),
  name: z.string(),
  uid: z.string().nullable(),
});
const requestsSchema: Schema<InventoryRequestsDto> = z.strictObject({
  cpuMillis: z.int(),
  memoryBytes: z.int(),
  storageBytes: z.int(),
});
const detailsSchema: Schema<InventoryDetailsDto> = z.strictObject({
  fields: z.array(z.string()).optional(),
  row: z.enum(["none", "gone"]).optional(),
  volumes: z.int().optional(),
  running: z.int().optional(),
  isPurged: z.boolean().optional(),
  isHeldBack: z.boolean().optional(),
  isUnsigned: z.boolean().optional(),
  isShared: z.boolean().optional(),
  isNameTaken: z.boolean().optional(),
  deletingSince: z.string().optional(),
  blockedBy: z.string().optional(),
  desiredPhase: z.string().optional(),
  wantedPhase: z.string().optional(),
});

export const inventoryFindingSchema: Schema<InventoryFindingDto> = z.strictObject({
  id: z.string(),
  kind: z.enum(findingKinds),
  severity: z.enum(findingSeverities),
  subject: subjectSchema,
  organizationId: z.string().nullable(),
  subscriptionId: z.string().nullable(),
  instanceId: z.string().nullable(),
  details: detailsSchema,
  costPerDay: moneySchema.nullable(),
  requests: requestsSchema.nullable(),
  firstSeenAt: z.date(),
  lastSeenAt: z.date(),
  sightings: z.int(),
  reportedAt: z.date().nullable(),
  resolvedAt: z.date().nullable(),
  action: z.enum(findingActions),
  actedAt: z.date().nullable(),
});
export const inventoryFindingPageSchema: Schema<InventoryFindingPageDto> = pageSchema(inventoryFindingSchema);

export const inventoryAuditSchema: Schema<InventoryAuditDto> = z.strictObject({
  id: z.string(),
  status: z.enum(["queued", "running", "finished", "failed"]),
  requestedAt: z.date(),
  startedAt: z.date().nullable(),
  finishedAt: z.date().nullable(),
  isWhole: z.boolean().nullable(),
  unread: z.array(z.string()),
  objects: z.int(),
  instances: z.int(),
  unjudged: z.int(),
  findings: z.int(),
  resolved: z.int(),
  repaired: z.int(),
  deleted: z.int(),
});
export const inventoryReportSchema: Schema<InventoryReportDto> = z.strictObject({
  audit: inventoryAuditSchema.nullable(),
  openFindings: z.int(),
  withoutPrice: z.int(),
  costPerDay: z.array(moneySchema),
});
