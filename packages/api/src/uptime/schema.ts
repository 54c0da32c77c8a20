import { maxUptimeDays } from "@sewa/core";
import { z } from "zod";
import { publicId, type Schema } from "../schema.ts";
import type { InstanceUptimeDto, InstanceUptimeInput, UptimeDayDto } from "./dto.ts";

export const instanceUptimeInput: Schema<InstanceUptimeInput> = z.strictObject({
  instanceId: publicId,
  days: z.int().min(1).max(maxUptimeDays).optional(),
});

const ratio = z.number().min(0).max(1).nullable();

const daySchema: Schema<UptimeDayDto> = z.strictObject({
  day: z.iso.date(),
  upSeconds: z.int(),
  downSeconds: z.int(),
  unknownSeconds: z.int(),
  ratio,
});

export const instanceUptimeSchema: Schema<InstanceUptimeDto> = z.strictObject({
  timeZone: z.string(),
  days: z.array(daySchema),
  ratio,
  targetRatio: z.number(),
  isWithinTarget: z.boolean().nullable(),
});
