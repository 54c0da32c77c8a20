import type { Observation } from "@sewa/core";
import type { InstanceSpec } from "./render/types.ts";

/** The right to work on one instance. Disposing gives it back. */
export interface InstanceLease extends AsyncDisposable {
  readonly instanceId: string;
  /** Rises with each holder; every write that follows carries it, so that a late holder writes nothing. */
  readonly epoch: number;
  /** Aborted as soon as the lease is lost. */
  readonly signal: AbortSignal;
}

export interface LoadedInstance {
  readonly spec: InstanceSpec;
  /** The operation that the customer follows; null when none is open. For log lines. */
  readonly operationId: string | null;
}

/** What reconciling needs of the database. Core implements it. */
export interface InstanceStore {
  /** Null when another holder works on the instance. */
  lease(instanceId: string): Promise<InstanceLease | null>;
  /** False for the instance of another house that shares the cluster, or of a database that was lost. */
  exists(instanceId: string): Promise<boolean>;
  /** Null when the instance is gone for good. */
  load(lease: InstanceLease): Promise<LoadedInstance | null>;
  /** Writes what was seen of `generation`; whether that is what is desired is decided there. */
  recordObserved(lease: InstanceLease, generation: number, observation: Observation): Promise<{ settled: boolean }>;
}
