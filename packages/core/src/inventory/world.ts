/** What one pass over the cluster found. Facts only; what they mean is decided here in core. */

export interface Requests {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
}

/** An object of the cluster, or what stands in its place: a row of ours has the kind `Instance`. */
export interface ObjectRef {
  readonly kind: string;
  /** Null for what stands in no namespace. */
  readonly namespace: string | null;
  readonly name: string;
  /** Null for what is not there. */
  readonly uid: string | null;
}

/** Which house an object's label names: the one that audits, another one on the same cluster, or none. */
export type OwningHouse = "own" | "other" | "none";

/** An object that carries our label, or that somebody put into a namespace named like ours. */
export interface WorldObject extends ObjectRef {
  readonly uid: string;
  /** It carries our label, and not that of another house. */
  readonly isOurs: boolean;
  readonly house: OwningHouse;
  /** What its labels say. Anybody may have written them. */
  readonly organizationId: string | null;
  readonly subscriptionId: string | null;
  readonly instanceId: string | null;
  /** The instance that its namespace is named after; null outside of such a namespace. */
  readonly homeId: string | null;
  /** RFC 3339, the cluster's clock; null while it lives. */
  readonly deletingSince: string | null;
  /** What keeps a namespace from going, in the cluster's words. */
  readonly blockedBy: string | null;
  /** What it takes by itself: all pods of a workload, the size of a volume. */
  readonly requests: Requests;
}

export interface ChangedObject extends ObjectRef {
  /** Paths of fields that are not as wanted, without their values. */
  readonly fields: readonly string[];
}

/** The objects that an instance should have, against those that it has. */
export interface Comparison {
  /** `objectKey` of each. */
  readonly wanted: ReadonlySet<string>;
  readonly missing: readonly ObjectRef[];
  readonly changed: readonly ChangedObject[];
}

export interface InventoryWorld {
  readonly objects: readonly WorldObject[];
  /** What could not be read: kinds, or `comparison`. Not empty: nothing may be concluded from an absence. */
  readonly unread: readonly string[];
  /** By instance. One that was not compared, or could not be, is not in it. */
  readonly comparisons: ReadonlyMap<string, Comparison>;
  /** Instances of which it cannot be said what they should have, as when their secrets are gone. */
  readonly unrenderable: ReadonlySet<string>;
}

export function objectKey({ kind, namespace, name }: Pick<ObjectRef, "kind" | "namespace" | "name">): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

export const noRequests: Requests = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 };

export function sumRequests(all: readonly Requests[]): Requests {
  return all.reduce(
    (sum, { cpuMillis, memoryBytes, storageBytes }) => ({
      cpuMillis: sum.cpuMillis + cpuMillis,
      memoryBytes: sum.memoryBytes + memoryBytes,
      storageBytes: sum.storageBytes + storageBytes,
    }),
    noRequests,
  );
}
