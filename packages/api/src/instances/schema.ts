import { maxTailLines, observedPhases, reasonCodes } from "@sewa/core";
import { z } from "zod";
import { eventSchema } from "../events/schema.ts";
import { addonCountsSchema } from "../offerings/schema.ts";
import { operationSchema } from "../operations/schema.ts";
import { idempotencyKey, listShape, offeringRefSchema, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  ConditionDto,
  CredentialsDto,
  EventStreamDto,
  InstanceDto,
  InstanceEventsInput,
  InstanceInput,
  InstancePageDto,
  ListInstancesInput,
  LogLineDto,
  LogsDto,
  LogsInput,
  LogStreamDto,
  OnEventInput,
  OnLogInput,
  OnStatusInput,
  OperateInstanceInput,
  PodDto,
  PodsDto,
} from "./dto.ts";

// Any text: what is no id of ours starts the stream from where we are.
const lastEventId = z.string().max(64).nullish();

export const instanceInput: Schema<InstanceInput> = z.strictObject({ instanceId: publicId });
export const listInstancesInput: Schema<ListInstancesInput> = z.strictObject({
  ...listShape,
  includeRemoved: z.boolean().optional(),
});
export const operateInstanceInput: Schema<OperateInstanceInput> = z.strictObject({
  instanceId: publicId,
  idempotencyKey,
});
export const instanceEventsInput: Schema<InstanceEventsInput> = z.strictObject({ ...listShape, instanceId: publicId });
export const onStatusInput: Schema<OnStatusInput> = z.strictObject({ instanceId: publicId, lastEventId });
export const onEventInput: Schema<OnEventInput> = z.strictObject({ instanceId: publicId.optional(), lastEventId });

// What Kubernetes could give for a name; which of them exist is for core to say.
const kubeName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9.-]+$/, "Use a name as Kubernetes gives it.");
export const logsInput: Schema<LogsInput> = z.strictObject({
  instanceId: publicId,
  pod: kubeName.optional(),
  container: kubeName.optional(),
  previous: z.boolean().optional(),
  tailLines: z.int().min(1).max(maxTailLines).optional(),
});
export const onLogInput: Schema<OnLogInput> = z.strictObject({
  instanceId: publicId,
  pod: kubeName.optional(),
  // The name of a pod is part of these.
  lastEventId: z.string().max(320).nullish(),
});

const reason = z.enum(reasonCodes).nullable();
const moment = z.date().nullable();
const message = z.string().nullable();

const conditionSchema: Schema<ConditionDto> = z.strictObject({
  type: z.enum(["Applied", "VolumeBound", "PodsReady", "OwnerClaimed", "AddressOpen", "Healthy"]),
  status: z.enum(["True", "False", "Unknown"]),
  reason,
  message,
});

const podSchema: Schema<PodDto> = z.strictObject({
  name: z.string(),
  workload: z.string(),
  phase: z.enum(["Pending", "Running", "Succeeded", "Failed", "Unknown"]),
  ready: z.boolean(),
  restarts: z.int(),
  reason,
  message,
  startedAt: moment,
});

export const instanceSchema: Schema<InstanceDto> = z.strictObject({
  id: z.string(),
  subscriptionId: z.string(),
  name: z.string(),
  url: z.string(),
  isOpen: z.boolean(),
  offering: offeringRefSchema,
  planName: z.string(),
  addons: addonCountsSchema,
  desiredPhase: z.enum(["running", "stopped", "absent"]),
  requestedPhase: z.enum(["running", "stopped"]),
  observedPhase: z.enum(observedPhases),
  reason: z.enum([...reasonCodes, "HELD_BY_OPERATOR", "HELD_FOR_ABUSE", "HELD_FOR_BOOKS"]).nullable(),
  message,
  conditions: z.array(conditionSchema),
  pods: z.array(podSchema),
  revision: z.int(),
  createdAt: z.date(),
  readyAt: moment,
  observedAt: moment,
  removedAt: moment,
  operation: operationSchema.nullable(),
});
export const instancePageSchema: Schema<InstancePageDto> = pageSchema(instanceSchema);
export const podsSchema: Schema<PodsDto> = z.strictObject({ items: z.array(podSchema), observedAt: moment });
export const credentialsSchema: Schema<CredentialsDto> = z.strictObject({
  url: z.string(),
  credentials: z.array(z.strictObject({ name: z.string(), label: z.string(), value: z.string() })),
  instructions: z.string().nullable(),
});
export const eventStreamSchema: Schema<EventStreamDto> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("event"), event: eventSchema }),
  z.strictObject({ kind: z.literal("reset"), sequence: z.int() }),
]);

const logLineSchema: Schema<LogLineDto> = z.strictObject({ at: moment, text: z.string() });
export const logsSchema: Schema<LogsDto> = z.strictObject({
  pod: z.string(),
  lines: z.array(logLineSchema),
  isTruncated: z.boolean(),
  gap: z.boolean(),
});
export const logStreamSchema: Schema<LogStreamDto> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("lines"), pod: z.string(), lines: z.array(logLineSchema) }),
  z.strictObject({ kind: z.literal("gap"), from: z.date(), to: moment }),
  z.strictObject({ kind: z.literal("end"), pod: z.string() }),
]);
