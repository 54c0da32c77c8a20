import {
  type ChangeReason,
  changeReasons,
  type ChangeRequest,
  type ChangeView,
  changeWarnings,
  toPublicId,
} from "@sewa/core";
import { uuidOf } from "../ids.ts";
import { toParameterValues } from "../orders/to-dto.ts";
import type { ChangeDto, ChangeEffectsDto, ChangeRequestDto, ChangeShapeDto } from "./change-dto.ts";

export function toChangeDto(view: ChangeView): ChangeDto {
  const { change, before, after, effects, message } = view;
  const { kind, status, currency, hash, plannedAt, expiresAt, approvedAt, endedAt } = change;
  return {
    id: toPublicId("change", change.id),
    instanceId: toPublicId("instance", change.instanceId),
    kind,
    status,
    reason: reasonOf(change.reason),
    message,
    before: toShapeDto(before, change.amountBeforeMinor, currency),
    after: after === null ? null : toShapeDto(after, change.amountAfterMinor, currency),
    due: { amountMinor: change.dueMinor + change.addedTaxMinor, currency },
    effects: effects === null ? null : toEffectsDto(effects),
    hash,
    invoiceId: change.invoiceId === null ? null : toPublicId("invoice", change.invoiceId),
    operationId: change.operationId === null ? null : toPublicId("operation", change.operationId),
    plannedAt,
    expiresAt,
    approvedAt,
    endedAt,
  };
}

export function toChangeRequest(request: ChangeRequestDto): ChangeRequest {
  switch (request.kind) {
    case "resize":
      return { kind: "resize", planId: uuidOf("plan", request.planId) };
    case "update":
      return {
        kind: "update",
        parameters: request.parameters ?? {},
        ...(request.addons !== undefined && { addons: request.addons }),
      };
    case "upgrade":
      return { kind: "upgrade", parameters: request.parameters ?? {} };
    case "deprovision":
      return { kind: "deprovision" };
  }
}

function toShapeDto(shape: ChangeView["before"], amountMinor: bigint, currency: string): ChangeShapeDto {
  return {
    planId: toPublicId("plan", shape.planId),
    planName: shape.planName,
    parameters: toParameterValues(shape.parameters),
    addons: { ...shape.addons },
    limits: { ...shape.limits },
    price: { amountMinor, currency },
  };
}

function toEffectsDto({
  objects,
  dataLost,
  warnings,
  capacity,
  room,
}: NonNullable<ChangeView["effects"]>): ChangeEffectsDto {
  return {
    objects: objects.map(({ kind, name, action, fields }) => ({ kind, name, action, fields: [...fields] })),
    dataLost: dataLost.map(({ kind, name, sizeBytes }) => ({ kind, name, sizeBytes })),
    warnings: warnings.map((code) => ({ code, message: changeWarnings[code] })),
    room: { ...room },
    capacity: { fits: capacity.fits, reason: capacity.fits ? null : capacity.reason },
  };
}

function reasonOf(text: string | null): ChangeReason | null {
  return text !== null && Object.hasOwn(changeReasons, text) ? (text as ChangeReason) : null;
}
