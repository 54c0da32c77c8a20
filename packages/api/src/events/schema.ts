import { type EventType, eventTypes } from "@sewa/core";
import { z } from "zod";
import { listShape, pageSchema, publicId, type Schema } from "../schema.ts";
import type { EventActorDto, EventDto, EventPageDto, ListEventsInput } from "./dto.ts";

export const listEventsInput: Schema<ListEventsInput> = z.strictObject({
  ...listShape,
  instanceId: publicId.optional(),
});

// The keys of a constant object are exactly its type's keys.
const types = Object.keys(eventTypes) as EventType[];

export const actorSchema: Schema<EventActorDto> = z.strictObject({
  type: z.enum(["anonymous", "user", "operator", "system"]),
  id: z.string().nullable(),
  operator: z.strictObject({ id: z.string().nullable() }).nullable(),
});

export const eventSchema: Schema<EventDto> = z.strictObject({
  id: z.string(),
  sequence: z.int(),
  type: z.enum(types),
  orderId: z.string().nullable(),
  subscriptionId: z.string().nullable(),
  instanceId: z.string().nullable(),
  actor: actorSchema,
  data: z.record(z.string(), z.unknown()),
  occurredAt: z.date(),
});
export const eventPageSchema: Schema<EventPageDto> = pageSchema(eventSchema);
