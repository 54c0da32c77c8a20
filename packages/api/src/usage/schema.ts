import { metricRangeNames } from "@sewa/core";
import { z } from "zod";
import { publicId, type Schema } from "../schema.ts";
import type { InstanceMetricsDto, InstanceMetricsInput, MetricPointDto } from "./dto.ts";

const range = z.enum(metricRangeNames);

export const instanceMetricsInput: Schema<InstanceMetricsInput> = z.strictObject({
  instanceId: publicId,
  range: range.optional(),
});

const pointSchema: Schema<MetricPointDto> = z.strictObject({
  start: z.date(),
  cpu: z.strictObject({ averageMillis: z.int(), maxMillis: z.int() }).nullable(),
  memory: z.strictObject({ averageBytes: z.int(), maxBytes: z.int() }).nullable(),
  storageBytes: z.int().nullable(),
});

export const instanceMetricsSchema: Schema<InstanceMetricsDto> = z.strictObject({
  range,
  stepSeconds: z.int(),
  from: z.date(),
  to: z.date(),
  limits: z.strictObject({ cpuMillis: z.int(), memoryBytes: z.int(), storageBytes: z.int() }),
  points: z.array(pointSchema),
});
