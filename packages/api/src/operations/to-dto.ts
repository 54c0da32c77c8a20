import { type OperationRow, stepsOf, toPublicId } from "@sewa/core";
import type { OperationDto } from "./dto.ts";

export function toOperationDto(operation: OperationRow): OperationDto {
  const { kind, status, attempt, maxAttempts, reason, message, createdAt, startedAt, deadlineAt, finishedAt } =
    operation;
  return {
    id: toPublicId("operation", operation.id),
    instanceId: toPublicId("instance", operation.instanceId),
    kind,
    status,
    steps: stepsOf(operation).map((step) => ({
      key: step.key,
      status: step.status,
      startedAt: toDate(step.startedAt),
      finishedAt: toDate(step.finishedAt),
    })),
    attempt,
    maxAttempts,
    reason,
    message,
    createdAt,
    startedAt,
    deadlineAt,
    finishedAt,
  };
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
