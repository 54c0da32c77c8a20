import type { Observation } from "@sewa/core";
import type { InstanceSpec } from "../render/types.ts";
import type { InstanceLease, InstanceStore } from "../store.ts";

/** An InstanceStore of one process: specs are set by the test, observations are kept in the order in which they came. */
export interface MemoryStore extends InstanceStore {
  set(spec: InstanceSpec): void;
  delete(instanceId: string): void;
  observations(instanceId: string): readonly Observation[];
  /** Takes the lease away from its holder, as another worker does. */
  loseLease(instanceId: string): void;
  isLeased(instanceId: string): boolean;
}

export function createMemoryStore(): MemoryStore {
  const specs = new Map<string, InstanceSpec>();
  const recorded = new Map<string, Observation[]>();
  const leases = new Map<string, AbortController>();
  let epoch = 0;
  return {
    set: (spec) => void specs.set(spec.instanceId, spec),
    delete: (instanceId) => void specs.delete(instanceId),
    observations: (instanceId) => recorded.get(instanceId) ?? [],
    loseLease(instanceId) {
      leases.get(instanceId)?.abort(new Error("The lease was lost."));
      leases.delete(instanceId);
    },
    isLeased: (instanceId) => leases.has(instanceId),
    async lease(instanceId): Promise<InstanceLease | null> {
      if (leases.has(instanceId)) return null;
      const controller = new AbortController();
      leases.set(instanceId, controller);
      const release = async (): Promise<void> => {
        if (leases.get(instanceId) === controller) leases.delete(instanceId);
      };
      return { instanceId, epoch: (epoch += 1), signal: controller.signal, [Symbol.asyncDispose]: release };
    },
    exists: async (instanceId) => specs.has(instanceId),
    async load({ instanceId }) {
      const spec = specs.get(instanceId);
      return spec === undefined ? null : { spec, operationId: null };
    },
    async recordObserved({ instanceId, signal }, generation, observation) {
      signal.throwIfAborted();
      const spec = specs.get(instanceId);
      if (spec?.generation !== generation) return { settled: false };
      recorded.set(instanceId, [...(recorded.get(instanceId) ?? []), observation]);
      // Core keeps that the owner account was claimed; a later pass must know it.
      specs.set(instanceId, { ...spec, ownerClaimed: observation.ownerClaimed });
      return { settled: observation.phase === spec.phase };
    },
  };
}
