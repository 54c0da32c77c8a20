import type { NodeRow } from "@sewa/core";
import type { NodeDto } from "./dto.ts";

export function toNodeDto(node: NodeRow): NodeDto {
  const { name, role, pool, isReady, isSchedulable, desiredSchedulable } = node;
  const { allocatableCpuMillis, allocatableMemoryBytes, firstSeenAt, lastSeenAt, removedAt } = node;
  return {
    name,
    role,
    pool,
    isReady,
    isSchedulable,
    desiredSchedulable,
    allocatableCpuMillis,
    allocatableMemoryBytes,
    conditions: node.conditions.map(({ type, status, reason }) => ({ type, status, reason })),
    firstSeenAt,
    lastSeenAt,
    removedAt,
  };
}
