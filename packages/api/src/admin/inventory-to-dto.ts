import {
  detailsOf,
  type FindingKind,
  type FindingRow,
  type InventoryAuditRow,
  type InventoryReport,
  toPublicId,
} from "@sewa/core";
import type { InventoryAuditDto, InventoryFindingDto, InventoryReportDto } from "./dto.ts";

export function toFindingDto(row: FindingRow): InventoryFindingDto {
  const { severity, firstSeenAt, lastSeenAt, sightings, reportedAt, resolvedAt, action, actedAt } = row;
  const publicId = (kind: "organization" | "subscription" | "instance", id: string | null): string | null =>
    id === null ? null : toPublicId(kind, id);
  return {
    id: toPublicId("finding", row.id),
    // A check of the table keeps the list of words.
    kind: row.kind as FindingKind,
    severity,
    subject: {
      kind: row.subjectKind,
      namespace: row.subjectNamespace,
      name: row.subjectKind === "Instance" ? toPublicId("instance", row.subjectName) : row.subjectName,
      uid: row.subjectUid,
    },
    organizationId: publicId("organization", row.organizationId),
    subscriptionId: publicId("subscription", row.subscriptionId),
    instanceId: publicId("instance", row.instanceId),
    details: detailsOf(row),
    costPerDay:
      row.costMinor === null || row.currency === null ? null : { amountMinor: row.costMinor, currency: row.currency },
    requests:
      row.requestedCpuMillis === null
        ? null
        : {
            cpuMillis: row.requestedCpuMillis,
            memoryBytes: row.requestedMemoryBytes ?? 0,
            storageBytes: row.requestedStorageBytes ?? 0,
          },
    firstSeenAt,
    lastSeenAt,
    sightings,
    reportedAt,
    resolvedAt,
    action,
    actedAt,
  };
}

export function toAuditDto(audit: InventoryAuditRow): InventoryAuditDto {
  const { status, requestedAt, startedAt, finishedAt, isWhole, unread } = audit;
  const { objects, instances, unjudged, findings, resolved, repaired, deleted } = audit;
  const counts = { objects, instances, unjudged, findings, resolved, repaired, deleted };
  const id = toPublicId("audit", audit.id);
  return { id, status, requestedAt, startedAt, finishedAt, isWhole, unread: [...unread], ...counts };
}

export function toReportDto({ audit, openFindings, withoutPrice, costPerDay }: InventoryReport): InventoryReportDto {
  return {
    audit: audit === null ? null : toAuditDto(audit),
    openFindings,
    withoutPrice,
    costPerDay: costPerDay.map(({ amountMinor, currency }) => ({ amountMinor, currency })),
  };
}
