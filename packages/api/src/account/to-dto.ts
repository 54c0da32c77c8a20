import {
  type Deletion,
  type DeletionPreview,
  type ExportedRecord,
  keptThings,
  type KeptThing,
  type ObstacleCode,
  obstacleWords,
  toPublicId,
} from "@sewa/core";
import type { DeletionDto, DeletionPreviewDto, ExportedRecordDto } from "../auth/dto.ts";

export function toExportedRecordDto({ table, organizationId, row }: ExportedRecord): ExportedRecordDto {
  return { table, organizationId: toPublicId("organization", organizationId), row };
}

export function toDeletionPreviewDto({ obstacles, organizations }: DeletionPreview): DeletionPreviewDto {
  return {
    obstacles: obstacles.map(toObstacle),
    organizations: organizations.map(({ organizationId, name, becomes, endingApps, invoices, obstacles: own }) => ({
      id: toPublicId("organization", organizationId),
      name,
      becomes,
      obstacles: own.map(toObstacle),
      endingApps,
      invoices,
    })),
    kept: (Object.keys(keptThings) as KeptThing[]).map((what) => ({ what, why: keptThings[what] })),
  };
}

export function toDeletionDto({ userId, deletedAt }: Deletion): DeletionDto {
  return { userId: toPublicId("user", userId), deletedAt };
}

function toObstacle(code: ObstacleCode): DeletionPreviewDto["obstacles"][number] {
  return { code, message: obstacleWords[code] };
}
