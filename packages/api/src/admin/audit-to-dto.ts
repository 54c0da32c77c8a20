import { type AuditFault, type AuditRow, toPublicId, type VerifiedAudit } from "@sewa/core";
import { toWholeDto } from "../audit/to-dto.ts";
import type { EventActorDto } from "../events/dto.ts";
import { toActorDto } from "../events/to-dto.ts";
import type { AdminAuditEntryDto, AuditFaultDto, VerifiedAuditDto } from "./dto.ts";

export function toAdminAuditEntryDto(row: AuditRow): AdminAuditEntryDto {
  const { organizationId } = row;
  return {
    ...toWholeDto(row, wholeActor(row.actor)),
    organizationId: organizationId === null ? null : toPublicId("organization", organizationId),
  };
}

function wholeActor(text: string): EventActorDto {
  const [type, id, means, operatorId] = text.split(":");
  if (type === "operator" && id !== undefined) return { type, id: toPublicId("user", id), operator: null };
  const actor = toActorDto(text);
  return means === "operator" && operatorId !== undefined
    ? { ...actor, operator: { id: toPublicId("user", operatorId) } }
    : actor;
}

export function toVerifiedAuditDto({ entries, fault }: VerifiedAudit): VerifiedAuditDto {
  return { entries, fault: fault === null ? null : toFaultDto(fault) };
}

function toFaultDto({ subject: { type, id }, message }: AuditFault): AuditFaultDto {
  return { type, id: type === "entry" ? toPublicId("entry", id) : id, message };
}
