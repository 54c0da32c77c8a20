import { z } from "zod";
import { coreContext } from "../core-context.ts";
import { nothing, type Schema } from "../schema.ts";
import { publicProcedure } from "../trpc.ts";
import { apiVersion } from "../version.ts";
import type { HealthDto, VersionDto } from "./dto.ts";

const versionSchema: Schema<VersionDto> = z.strictObject({ api: z.string(), currency: z.string() });
const healthSchema: Schema<HealthDto> = z.strictObject({ status: z.literal("ok"), now: z.date() });

export const systemRouter = {
  version: publicProcedure
    .input(nothing)
    .output(versionSchema)
    .query(({ ctx }): VersionDto => ({ api: apiVersion, currency: coreContext(ctx).config.currency })),

  /** Says that somebody answers; whether the database does is what `/readyz` is for. */
  health: publicProcedure
    .input(nothing)
    .output(healthSchema)
    .query(({ ctx }): HealthDto => ({ status: "ok", now: coreContext(ctx).clock.now() })),
};
