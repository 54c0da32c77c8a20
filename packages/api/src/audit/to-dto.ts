import { type AuditRow, type IdKind, isCustomersActor, isReasonOfHouse, toPublicId } from "@sewa/core";
import { publicValue, toActorDto } from "../events/to-dto.ts";
import type { AuditEntryDto, EventActorDto } from "../events/dto.ts";

/** What its organization may know: which operator it was, and from where, is nobody's business but the house's. */
export function toAuditEntryDto(row: AuditRow): AuditEntryDto {
  const isCustomers = isCustomersActor(row.actor);
  return {
    ...toWholeDto(row, toActorDto(row.actor)),
    reason: isReasonOfHouse(row.action) ? null : row.reason,
    clientAddress: isCustomers ? row.clientAddress : null,
    userAgent: isCustomers ? row.userAgent : null,
  };
}

/** All of it. */
export function toWholeDto(row: AuditRow, actor: EventActorDto): AuditEntryDto {
  const { sequence, action, subjectType, subjectId, reason, requestId, clientAddress, userAgent } = row;
  return {
    id: toPublicId("entry", row.id),
    sequence,
    action,
    actor,
    subject:
      subjectType === null || subjectId === null ? null : { type: subjectType, id: idOf(subjectType, subjectId) },
    before: publicValues(row.before),
    after: publicValues(row.after),
    reason,
    requestId,
    clientAddress,
    userAgent,
    occurredAt: row.occurredAt,
    recordedAt: row.recordedAt,
  };
}

const kinds: Readonly<Partial<Record<string, IdKind>>> = {
  organization: "organization",
  user: "user",
  order: "order",
  subscription: "subscription",
  instance: "instance",
  change: "change",
  invoice: "invoice",
  payment: "payment",
  intent: "intent",
  method: "method",
  transaction: "transaction",
  adjustment: "adjustment",
  coupon: "coupon",
  audit: "audit",
  finding: "finding",
  tax_rate: "taxRate",
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function idOf(type: string, id: string): string {
  const kind = kinds[type];
  return kind !== undefined && uuid.test(id) ? toPublicId(kind, id) : id;
}

/** Facts are objects of one level, as events are; whatever else stands there is shown as it is. */
function publicValues(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, publicValue(key, item)]));
}
