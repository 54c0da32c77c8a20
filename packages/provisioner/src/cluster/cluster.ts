import type { Comparison, MeasuredUsage, ObjectRef, Observation, ObservedNode, Preview } from "@sewa/core";
import type { InstanceSpec } from "../render/types.ts";
import type { ClusterInventory } from "./inventory.ts";
import type { LogLine } from "./log-lines.ts";
import type { LogQuery } from "./logs.ts";
import type { ProbedApp } from "./probe.ts";
import type { Watcher } from "./watcher.ts";

export interface CallOptions {
  /** Stops between and inside requests, as when a lease was lost. */
  readonly signal?: AbortSignal | undefined;
}

/** A namespace that carries our labels, for finding those that no instance owns. */
export interface OwnedNamespace {
  readonly name: string;
  /** Null before houses were told apart. One of another house is nobody's orphan here. */
  readonly houseId: string | null;
  readonly instanceId: string | null;
  readonly organizationId: string | null;
  readonly subscriptionId: string | null;
  /** RFC 3339, the cluster's clock. */
  readonly createdAt: string | null;
  readonly isDeleting: boolean;
}

/** The outside world of an instance. Every method may be called at any time, any number of times. */
export interface Cluster extends AsyncDisposable {
  /**
   * Makes the cluster hold what the spec renders to, in order. Objects that are known to be unchanged cost no request.
   * Throws the errors of `errors.ts`; what was applied before stays.
   */
  apply(spec: InstanceSpec, options?: CallOptions): Promise<void>;
  /** Looks at the instance. An unreachable or refusing cluster is an answer too: existence `unknown`. */
  observe(spec: InstanceSpec, options?: CallOptions): Promise<Observation>;
  /** Asks for the removal of everything; `observe` tells when it is gone. A namespace that is not ours is left alone. */
  remove(spec: InstanceSpec, options?: CallOptions): Promise<void>;
  /**
   * What applying `planned` would change, found by dry runs: nothing is written. Throws ClusterUnreachable and ClusterDenied;
   * what the server refuses of single objects is part of the answer.
   */
  preview(
    specs: { readonly now: InstanceSpec; readonly planned: InstanceSpec },
    options?: CallOptions,
  ): Promise<Preview>;
  nodes(options?: CallOptions): Promise<readonly ObservedNode[]>;
  /** Closes a machine for new pods, or opens it again. Those that run there stay. */
  setSchedulable(nodeName: string, isSchedulable: boolean, options?: CallOptions): Promise<void>;
  /**
   * Tells ids whose state has changed, and every id once after the first list; from then on `apply` and `observe` use
   * what the watch has seen. One watcher at a time.
   */
  watch(onInstance: (instanceId: string) => void, onNode: (name: string) => void): Watcher;
  /**
   * What a container of the instance has written, line by line, safe to show. Throws NotFound when pod or container are
   * gone and ClusterUnreachable when the connection breaks; leaving the loop closes the connection.
   */
  logs(query: LogQuery, options?: CallOptions): AsyncIterable<LogLine>;
  /** What all instances use now. Null: the cluster does not say, for want of a metrics-server or otherwise. */
  usage(options?: CallOptions): Promise<readonly MeasuredUsage[] | null>;
  /** False without the address of the ingress controller: apps cannot be asked. */
  readonly canProbe: boolean;
  /** Asks each app through the ingress controller whether it answers; by instance. Throws where `canProbe` is false. */
  probe(apps: readonly ProbedApp[], options?: CallOptions): Promise<ReadonlyMap<string, boolean>>;
  /**
   * Reads every object of a house, and those of others in namespaces named like its own, from the server. A kind that cannot
   * be read is named in the answer, and is no reason to throw.
   */
  inventory(houseId: string, options?: CallOptions): Promise<ClusterInventory>;
  /** Holds what the spec renders to against an inventory, exactly. Changes nothing; throws the errors of `errors.ts`. */
  compare(spec: InstanceSpec, inventory: ClusterInventory, options?: CallOptions): Promise<Comparison>;
  /** Forgets what was applied for an instance, so that the next `apply` sends everything. */
  forget(instanceId: string): void;
  /** Deletes a namespace or what runs, of this uid and while it is the house's; false when there is no such object. */
  erase(houseId: string, object: ObjectRef, options?: CallOptions): Promise<boolean>;
  /** Deletes what runs in a namespace of the house and leaves its volumes; answers how many objects that were. */
  eraseRunning(houseId: string, namespace: ObjectRef, options?: CallOptions): Promise<number>;
  ping(options?: CallOptions): Promise<{ readonly version: string }>;
  listOwnedNamespaces(options?: CallOptions): Promise<readonly OwnedNamespace[]>;
}
