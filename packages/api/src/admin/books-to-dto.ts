import { type BooksFindingView, type BooksRunRow, type Parking, toPublicId } from "@sewa/core";
import type { BooksFindingDto, BooksRunDto, ParkingDto } from "./dto.ts";

export function toBooksFindingDto(finding: BooksFindingView): BooksFindingDto {
  const { checkId: check, kind, rowId: row, organizationId, parkedAt, firstSeenAt, resolvedAt } = finding;
  return {
    id: toPublicId("finding", finding.id),
    check,
    kind,
    row,
    organizationId: organizationId === null ? null : toPublicId("organization", organizationId),
    parkedAt,
    firstSeenAt,
    resolvedAt,
  };
}

export function toBooksRunDto(run: BooksRunRow): BooksRunDto {
  const { mode, startedAt, finishedAt, organizations, findings, opened, resolved } = run;
  const id = toPublicId("audit", run.id);
  return { id, mode, startedAt, finishedAt, organizations, findings, opened, resolved };
}

export function toParkingDto(organizationId: string, { parkedAt, unparkedAt }: Parking): ParkingDto {
  return { organizationId: toPublicId("organization", organizationId), parkedAt, unparkedAt };
}
