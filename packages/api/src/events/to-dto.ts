import { type EventRow, type EventType, eventTypes, type IdKind, toPublicId } from "@sewa/core";
import type { EventActorDto, EventDto } from "./dto.ts";

export function toEventDto(row: EventRow): EventDto {
  return {
    id: toPublicId("event", row.id),
    sequence: row.sequence,
    type: typeOf(row),
    orderId: publicOrNull("order", row.orderId),
    subscriptionId: publicOrNull("subscription", row.subscriptionId),
    instanceId: publicOrNull("instance", row.instanceId),
    actor: toActorDto(row.actor),
    data: Object.fromEntries(Object.entries(row.data).map(([key, value]) => [key, publicValue(key, value)])),
    occurredAt: row.occurredAt,
  };
}

function typeOf({ type }: EventRow): EventType {
  if (!Object.hasOwn(eventTypes, type)) throw new Error(`Broken invariant: ${type} is a type of event`);
  return type as EventType;
}

/** Which operator it was is nobody's business but the house's. */
export function toActorDto(text: string): EventActorDto {
  const [type = "", id = "", means = ""] = text.split(":");
  switch (type) {
    case "user":
      return { type, id: toPublicId("user", id), operator: means === "operator" ? { id: null } : null };
    case "operator":
    case "anonymous":
      return { type, id: null, operator: null };
    default:
      return { type: "system", id: null, operator: null };
  }
}

const idKeys: Readonly<Partial<Record<string, IdKind>>> = {
  orderId: "order",
  subscriptionId: "subscription",
  instanceId: "instance",
  operationId: "operation",
  invoiceId: "invoice",
  paymentId: "payment",
  intentId: "intent",
  methodId: "method",
  planId: "plan",
  changeId: "change",
  userId: "user",
  invitationId: "invitation",
  tokenId: "token",
};

/** Ids in facts are public ones, as everywhere. */
export function publicValue(key: string, value: unknown): unknown {
  const kind = idKeys[key];
  return kind !== undefined && typeof value === "string" ? toPublicId(kind, value) : value;
}

function publicOrNull(kind: IdKind, uuid: string | null): string | null {
  return uuid === null ? null : toPublicId(kind, uuid);
}
