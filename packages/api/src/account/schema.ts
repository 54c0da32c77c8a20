import { obstacleWords } from "@sewa/core";
import { z } from "zod";
import type { DeletionDto, DeletionPreviewDto, ExportPageDto } from "../auth/dto.ts";
import { opaque, pageSchema, type Schema } from "../schema.ts";

const maxEmailCharacters = 508;

export const deleteAccountInput: Schema<{ readonly confirmEmail: string }> = z.strictObject({
  confirmEmail: opaque(maxEmailCharacters),
});

export const exportPageSchema: Schema<ExportPageDto> = pageSchema(
  z.strictObject({ table: z.string(), organizationId: z.string(), row: z.record(z.string(), z.unknown()) }),
);

const obstacle = z.strictObject({
  code: z.enum(Object.keys(obstacleWords) as [keyof typeof obstacleWords]),
  message: z.string(),
});
export const deletionPreviewSchema: Schema<DeletionPreviewDto> = z.strictObject({
  obstacles: z.array(obstacle),
  organizations: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      becomes: z.enum(["left", "closed"]),
      obstacles: z.array(obstacle),
      endingApps: z.number(),
      invoices: z.number(),
    }),
  ),
  kept: z.array(
    z.strictObject({
      what: z.enum(["invoices", "payments", "ledger", "audit", "trials", "answers"]),
      why: z.enum(["accounting", "security", "fairness", "two_days"]),
    }),
  ),
});

export const deletionSchema: Schema<DeletionDto> = z.strictObject({ userId: z.string(), deletedAt: z.date() });
