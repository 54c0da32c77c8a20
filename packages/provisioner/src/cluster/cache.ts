import type { WatchedKind } from "./resources.ts";
import { isSameSlim, type Slim } from "./slim.ts";

/** The objects of one kind, as the watch last saw them, by namespace and name. */
export interface KindCache<K extends WatchedKind> {
  /** Takes a full list; answers what was added, changed or is gone since. */
  replace(all: readonly Slim<K>[]): readonly Slim<K>[];
  /** Answers whether anything that we keep has changed. */
  set(slim: Slim<K>): boolean;
  delete(slim: Slim<K>): boolean;
  get(namespace: string, name: string): Slim<K> | undefined;
  inNamespace(namespace: string): readonly Slim<K>[];
  all(): readonly Slim<K>[];
  readonly size: number;
}

export function createKindCache<K extends WatchedKind>(): KindCache<K> {
  let namespaces = new Map<string, Map<string, Slim<K>>>();
  let size = 0;

  const get = (namespace: string, name: string): Slim<K> | undefined => namespaces.get(namespace)?.get(name);
  const all = (): readonly Slim<K>[] => [...namespaces.values()].flatMap((objects) => [...objects.values()]);
  const put = (slim: Slim<K>): void => {
    const objects = namespaces.get(slim.namespace) ?? new Map<string, Slim<K>>();
    if (!objects.has(slim.name)) size += 1;
    namespaces.set(slim.namespace, objects.set(slim.name, slim));
  };

  return {
    replace(list) {
      const before = namespaces;
      [namespaces, size] = [new Map(), 0];
      const touched: Slim<K>[] = [];
      for (const slim of list) {
        put(slim);
        const old = before.get(slim.namespace)?.get(slim.name);
        if (old === undefined || !isSameSlim(old, slim)) touched.push(slim);
        before.get(slim.namespace)?.delete(slim.name);
      }
      // What is left over was deleted while nobody watched.
      for (const objects of before.values()) touched.push(...objects.values());
      return touched;
    },
    set(slim) {
      const old = get(slim.namespace, slim.name);
      put(slim);
      return old === undefined || !isSameSlim(old, slim);
    },
    delete(slim) {
      const objects = namespaces.get(slim.namespace);
      if (objects?.delete(slim.name) !== true) return false;
      size -= 1;
      if (objects.size === 0) namespaces.delete(slim.namespace);
      return true;
    },
    get,
    inNamespace: (namespace) => [...(namespaces.get(namespace)?.values() ?? [])],
    all,
    get size() {
      return size;
    },
  };
}
