import type { LiveObject } from "../observe/wire.ts";
import { labelKeys, manager } from "../render/names.ts";
import { createKindCache, type KindCache } from "./cache.ts";
import type { Connection } from "./connection.ts";
import { collectionPath, resources, type WatchedKind } from "./resources.ts";
import { toSlim, type Slim } from "./slim.ts";
import {
  createStats,
  defaultTimings,
  runWatch,
  type WatchStats,
  type WatchTarget,
  type WatchTimings,
} from "./watch-kind.ts";

export interface Watcher extends AsyncDisposable {
  /** Resolves when every kind was listed once; rejects when the watcher is stopped before. */
  ready(): Promise<void>;
  stats(): readonly Readonly<WatchStats & { readonly objects: number }>[];
}

export interface WatcherOptions {
  readonly connection: Connection;
  readonly onInstance: (instanceId: string) => void;
  readonly onNode: (name: string) => void;
  /** Told when a handler throws; the watch goes on. */
  readonly onHandlerError: (error: unknown) => void;
  /** True for the hash of what we wrote ourselves: no news. */
  readonly isOwnWrite: (path: string, hash: string) => boolean;
  readonly timings?: Partial<WatchTimings>;
  readonly random: () => number;
}

/** The watcher's memory, as the cluster reads it. */
export interface WatchedCluster extends Watcher {
  /** Null when the kind is not followed at this moment, so that what is kept may be old. */
  cache<K extends WatchedKind>(kind: K): KindCache<K> | null;
}

type Caches = { readonly [K in WatchedKind]: KindCache<K> };

/** Changes that come in a burst are told once. */
const coalesceMs = 50;

const watchedKinds = Object.keys(resources).filter(
  (kind): kind is WatchedKind => kind !== "Secret" && kind !== "Event",
);

/** Watches every kind of ours over the whole cluster, one connection each, and tells whose state has changed. */
export function startWatcher(options: WatcherOptions): WatchedCluster {
  const stop = new AbortController();
  const caches = Object.fromEntries(watchedKinds.map((kind) => [kind, createKindCache()])) as unknown as Caches;
  const told = createTeller(options);
  const stats = new Map(watchedKinds.map((kind) => [kind, createStats(resources[kind].plural)]));
  const timings = { ...defaultTimings, ...options.timings };
  const listed = new Map(watchedKinds.map((kind) => [kind, Promise.withResolvers<void>()]));
  const ready = Promise.all([...listed.values()].map(({ promise }) => promise)).then(() => undefined);
  // Whoever does not ask is not to be hit by the rejection at the stop.
  ready.catch(() => undefined);

  const runs = watchedKinds.map((kind) => {
    const target = toTarget(kind, caches[kind] as KindCache<WatchedKind>, told, options, () =>
      listed.get(kind)?.resolve(),
    );
    const own = stats.get(kind) ?? createStats(kind);
    const context = { connection: options.connection, target, timings, stats: own, signal: stop.signal };
    return runWatch(context, options.random);
  });

  return {
    ready: () => ready,
    cache: (kind) =>
      stats.get(kind)?.isFollowing === true
        ? (caches[kind] as unknown as ReturnType<typeof createKindCache<typeof kind>>)
        : null,
    stats: () =>
      watchedKinds.map((kind) => ({ ...(stats.get(kind) ?? createStats(kind)), objects: caches[kind].size })),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("The watcher was stopped."));
      for (const { reject } of listed.values()) reject(stop.signal.reason);
      await Promise.all(runs);
      told.stop();
    },
  };
}

interface Teller {
  tell(slim: Slim): void;
  stop(): void;
}

/** Collects ids for a moment and hands each out once; what a handler throws is reported and goes no further. */
function createTeller({ onInstance, onNode, onHandlerError }: WatcherOptions): Teller {
  const instances = new Set<string>();
  const nodes = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    timer = null;
    for (const [ids, handler] of [[instances, onInstance] as const, [nodes, onNode] as const]) {
      const batch = [...ids];
      ids.clear();
      for (const id of batch) {
        try {
          handler(id);
        } catch (error) {
          onHandlerError(error);
        }
      }
    }
  };
  return {
    tell({ instanceId, namespace, name }) {
      if (instanceId !== null) instances.add(instanceId);
      else if (namespace === "") nodes.add(name);
      else return;
      timer ??= setTimeout(flush, coalesceMs);
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function toTarget(
  kind: WatchedKind,
  cache: KindCache<WatchedKind>,
  told: Teller,
  { isOwnWrite, onHandlerError }: WatcherOptions,
  onListed: () => void,
): WatchTarget {
  // An object that we cannot read must not stop the watch of all the others.
  const project = (object: LiveObject): Slim | null => {
    try {
      return toSlim(kind, object);
    } catch (error) {
      onHandlerError(error);
      return null;
    }
  };
  const isNews = (slim: Slim): boolean => slim.fact !== null || !isOwnWrite(slim.path, slim.hash);
  return {
    name: resources[kind].plural,
    path: collectionPath(kind),
    ...(kind === "Node" ? {} : { labelSelector: `${labelKeys.managedBy}=${manager}` }),
    onList(items) {
      for (const slim of cache.replace(items.map(project).filter((slim) => slim !== null))) told.tell(slim);
      onListed();
    },
    onChange(object, isDeleted) {
      const slim = project(object);
      if (slim === null) return;
      if (isDeleted ? cache.delete(slim) : cache.set(slim) && isNews(slim)) told.tell(slim);
    },
  };
}
