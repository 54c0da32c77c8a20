/** What one instance asks of a pool: the requests of its plan. */
export interface Demand {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface PoolState {
  readonly allocatableCpuMillis: number;
  readonly allocatableMemoryBytes: number;
  readonly largestCpuMillis: number;
  readonly largestMemoryBytes: number;
  readonly heldCpuMillis: number;
  readonly heldMemoryBytes: number;
  readonly cpuReservePercent: number;
  readonly memoryReservePercent: number;
}

export const capacityRefusals = ["NO_MACHINES", "NO_MACHINE_LARGE_ENOUGH", "POOL_FULL", "NODE_FULL"] as const;
/** `NODE_FULL`: the pool has room, and the machine that holds the app's volume has not. */
export type CapacityRefusal = (typeof capacityRefusals)[number];

export type CapacityVerdict = { readonly fits: true } | { readonly fits: false; readonly reason: CapacityRefusal };

/** The rule in words of one place; the conditional UPDATE in `hold-capacity.ts` states it again for the race. */
export function decideCapacity(pool: PoolState | null, demand: Demand): CapacityVerdict {
  if (pool === null || pool.allocatableCpuMillis === 0) return { fits: false, reason: "NO_MACHINES" };
  if (demand.cpuMillis > pool.largestCpuMillis || demand.memoryBytes > pool.largestMemoryBytes) {
    return { fits: false, reason: "NO_MACHINE_LARGE_ENOUGH" };
  }
  const room = deriveRoom(pool);
  const fits = demand.cpuMillis <= room.cpuMillis && demand.memoryBytes <= room.memoryBytes;
  return fits ? { fits } : { fits, reason: "POOL_FULL" };
}

/** The part of what may be promised that is promised: 1 is full, more was lost since; with no room at all, everything that is held is too much. */
export function deriveHeldRatio(pool: PoolState): { readonly cpu: number; readonly memory: number } {
  const room = deriveRoom(pool);
  return {
    cpu: ratio(pool.heldCpuMillis, room.cpuMillis + pool.heldCpuMillis),
    memory: ratio(pool.heldMemoryBytes, room.memoryBytes + pool.heldMemoryBytes),
  };
}

function ratio(held: number, promisable: number): number {
  return held === 0 ? 0 : held / promisable;
}

/** What may still be promised; negative after a machine was lost. */
export function deriveRoom(pool: PoolState): Demand {
  return {
    cpuMillis: Math.floor((pool.allocatableCpuMillis * (100 - pool.cpuReservePercent)) / 100) - pool.heldCpuMillis,
    memoryBytes:
      Math.floor((pool.allocatableMemoryBytes * (100 - pool.memoryReservePercent)) / 100) - pool.heldMemoryBytes,
  };
}
