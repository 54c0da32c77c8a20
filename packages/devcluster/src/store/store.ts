import type { KubeObject } from "../kube/object.ts";

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** Key of the resource, `deployments.apps`. */
  readonly resource: string;
  readonly version: number;
  readonly object: KubeObject;
  /** The state before, null for ADDED. */
  readonly previous: KubeObject | null;
}

export type StoreListener = (event: StoreEvent) => void;

/** Watches can start this many changes back; older versions are answered 410. */
const historyLimit = 4_000;
/** First pages of lists whose next pages can still be read consistently. */
const snapshotLimit = 64;

/**
 * All objects, in memory. One counter numbers every write of any object; objects are values that are replaced, never
 * changed, so a snapshot is an array of references. Listeners are called synchronously, in order of the writes.
 */
export class Store {
  readonly #objects = new Map<string, Map<string, Map<string, KubeObject>>>();
  readonly #dependents = new Map<string, Set<KubeObject>>();
  readonly #history: StoreEvent[] = [];
  readonly #listeners = new Set<StoreListener>();
  readonly #snapshots = new Map<string, readonly KubeObject[]>();
  readonly #lastChange = new Map<string, number>();
  /** Versions up to this one can no longer be watched or listed exactly. */
  #compactedTo = 0;
  #version: number;

  constructor(version = 1) {
    this.#version = version;
  }

  get version(): number {
    return this.#version;
  }

  get compactedTo(): number {
    return this.#compactedTo;
  }

  /** The version of the last change of any object of this resource. */
  lastChangeOf(resource: string): number {
    return this.#lastChange.get(resource) ?? 0;
  }

  get(resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(resource)?.get(namespace)?.get(name);
  }

  /** Sorted by namespace and name; of all namespaces when none is given. */
  list(resource: string, namespace?: string): KubeObject[] {
    const spaces = this.#objects.get(resource);
    if (spaces === undefined) return [];
    const names = namespace === undefined ? [...spaces.keys()].sort() : [namespace];
    return names.flatMap((space) => {
      const objects = [...(spaces.get(space)?.values() ?? [])];
      return objects.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    });
  }

  resourcesWithObjects(): string[] {
    return [...this.#objects.keys()];
  }

  /** Objects that name this uid in their ownerReferences. */
  dependentsOf(uid: string): readonly KubeObject[] {
    return [...(this.#dependents.get(uid) ?? [])];
  }

  /** Stores the object under the next version, which is written into it. */
  put(resource: string, object: KubeObject): KubeObject {
    const namespace = object.metadata.namespace ?? "";
    const previous = this.get(resource, namespace, object.metadata.name) ?? null;
    const stored = this.#numbered(object);
    this.#place(resource, stored, previous);
    this.#publish({ type: previous === null ? "ADDED" : "MODIFIED", resource, object: stored, previous });
    return stored;
  }

  /** Removes the object; the event carries its last state with the version of the removal. */
  remove(resource: string, object: KubeObject): KubeObject {
    const namespace = object.metadata.namespace ?? "";
    const previous = this.get(resource, namespace, object.metadata.name) ?? null;
    const last = this.#numbered(object);
    this.#objects.get(resource)?.get(namespace)?.delete(object.metadata.name);
    if (previous !== null) this.#unlink(previous);
    this.#publish({ type: "DELETED", resource, object: last, previous });
    return last;
  }

  /** Puts an object back as it was saved, without an event. */
  restore(resource: string, object: KubeObject): void {
    this.#place(resource, object, null);
    this.#version = Math.max(this.#version, Number(object.metadata.resourceVersion));
    this.#compactedTo = this.#version;
  }

  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The changes after a version, or null when they are no longer known completely. */
  since(version: number): readonly StoreEvent[] | null {
    if (version < this.#compactedTo) return null;
    return this.#history.filter((event) => event.version > version);
  }

  compact(): void {
    this.#history.length = 0;
    this.#snapshots.clear();
    this.#compactedTo = this.#version;
  }

  /** Keeps what a first page saw, so that the next pages see the same. */
  keepSnapshot(key: string, objects: readonly KubeObject[]): void {
    this.#snapshots.delete(key);
    this.#snapshots.set(key, objects);
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > snapshotLimit && oldest !== undefined) this.#snapshots.delete(oldest);
  }

  snapshot(key: string): readonly KubeObject[] | undefined {
    return this.#snapshots.get(key);
  }

  #numbered(object: KubeObject): KubeObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #place(resource: string, object: KubeObject, previous: KubeObject | null): void {
    const namespace = object.metadata.namespace ?? "";
    let spaces = this.#objects.get(resource);
    if (spaces === undefined) this.#objects.set(resource, (spaces = new Map<string, Map<string, KubeObject>>()));
    let objects = spaces.get(namespace);
    if (objects === undefined) spaces.set(namespace, (objects = new Map<string, KubeObject>()));
    objects.set(object.metadata.name, object);
    if (previous !== null) this.#unlink(previous);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      let dependents = this.#dependents.get(uid);
      if (dependents === undefined) this.#dependents.set(uid, (dependents = new Set<KubeObject>()));
      dependents.add(object);
    }
  }

  #unlink(object: KubeObject): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid);
      dependents?.delete(object);
      if (dependents?.size === 0) this.#dependents.delete(uid);
    }
  }

  #publish(change: Omit<StoreEvent, "version">): void {
    const event: StoreEvent = { ...change, version: this.#version };
    this.#lastChange.set(event.resource, event.version);
    this.#history.push(event);
    if (this.#history.length > historyLimit) {
      // Trimmed in slices, as cutting one element from the front of an array costs as much as cutting a thousand.
      const cut = this.#history.splice(0, historyLimit / 4);
      this.#compactedTo = cut.at(-1)?.version ?? this.#compactedTo;
    }
    for (const listener of this.#listeners) listener(event);
  }
}
