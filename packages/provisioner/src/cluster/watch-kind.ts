import { setTimeout as sleep } from "node:timers/promises";
import { ClusterUnreachable, Expired } from "../errors.ts";
import type { LiveList, LiveObject } from "../observe/wire.ts";
import type { Connection } from "./connection.ts";
import { readLines } from "./lines.ts";

/** What is watched and who is told. Handlers must not throw; they only change memory. */
export interface WatchTarget {
  /** Plural name, for messages and metrics. */
  readonly name: string;
  readonly path: string;
  readonly labelSelector?: string;
  onList(items: readonly LiveObject[]): void;
  onChange(object: LiveObject, isDeleted: boolean): void;
}

export interface WatchTimings {
  readonly pageSize: number;
  /** The server ends the watch after this time, with a bookmark, so that a quiet kind stays fresh. */
  readonly serverTimeoutSeconds: number;
  /** A watch that brings nothing for so long, not even its end, is dead. */
  readonly silentMs: number;
  /** A full list is made at least so often; it alone would be enough, the watch only makes it fast. */
  readonly relistMs: number;
  readonly backoffMs: { readonly min: number; readonly max: number };
}

export const defaultTimings: WatchTimings = {
  pageSize: 500,
  serverTimeoutSeconds: 30,
  silentMs: 40_000,
  relistMs: 300_000,
  backoffMs: { min: 1_000, max: 30_000 },
};

/** Counters of one watch, for metrics. Times are milliseconds of the monotonic clock. */
export interface WatchStats {
  readonly name: string;
  /** It follows the server right now, so what it has heard is all there is. */
  isFollowing: boolean;
  /** When it last heard anything; null before the first list. */
  heardAt: number | null;
  lists: number;
  /** Broken or silent connections and refusals. */
  restarts: number;
  /** 410: the server had forgotten our version. */
  expired: number;
  events: number;
  lastError: string | null;
}

export function createStats(name: string): WatchStats {
  return { name, isFollowing: false, heardAt: null, lists: 0, restarts: 0, expired: 0, events: 0, lastError: null };
}

interface Context {
  readonly connection: Connection;
  readonly target: WatchTarget;
  readonly timings: WatchTimings;
  readonly stats: WatchStats;
  readonly signal: AbortSignal;
}

/** Where a watch stands. */
interface Position {
  version: string | null;
  listedAt: number;
  failures: number;
}

/**
 * Lists and follows one kind until `signal` aborts; it never throws and never gives up.
 *
 * listing -> following: the list answered; following starts at its version.
 * following -> following: the server ended the watch at its time; go on from the last version heard.
 * following -> listing: the version is too old (410), or the full list is due.
 * any -> waiting -> the same: an error, after a delay that doubles with each failure in a row and is jittered.
 * any -> stopped: aborted; nothing is opened afterwards.
 */
export async function runWatch(context: Context, random: () => number): Promise<void> {
  const { stats, timings, signal } = context;
  const position: Position = { version: null, listedAt: 0, failures: 0 };
  while (!signal.aborted) {
    try {
      if (position.version === null || performance.now() - position.listedAt >= timings.relistMs) {
        position.version = await listAll(context);
        position.listedAt = performance.now();
      }
      const begunAt = performance.now();
      await follow(context, position);
      // A server that ends every watch at once must not be asked in a hot loop.
      await pause(timings.backoffMs.min - (performance.now() - begunAt), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Expired) {
        position.version = null;
        stats.expired += 1;
      } else stats.restarts += 1;
      stats.lastError = error instanceof Error ? error.message : String(error);
      position.failures += 1;
      const delay = backoff(position.failures, timings.backoffMs, random, error);
      await pause(delay, signal);
    } finally {
      stats.isFollowing = false;
    }
  }
}

/** Ends early, and quietly, when the watch is stopped. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await sleep(delayMs, undefined, { signal }).catch(() => undefined);
}

function backoff(
  failures: number,
  { min, max }: WatchTimings["backoffMs"],
  random: () => number,
  error: unknown,
): number {
  const delay = Math.min(max, min * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2);
  const asked = error instanceof ClusterUnreachable ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(delay, Math.min(asked, max));
}

/** All pages of one list; answers the version to follow from. */
async function listAll({ connection, target, timings, stats, signal }: Context): Promise<string> {
  const items: LiveObject[] = [];
  let next = "";
  for (;;) {
    const query = {
      limit: String(timings.pageSize),
      ...(target.labelSelector === undefined ? {} : { labelSelector: target.labelSelector }),
      ...(next === "" ? {} : { continue: next }),
    };
    const what = `list ${target.name}`;
    const page: LiveList<LiveObject> = await connection.json({ method: "GET", path: target.path, query, what, signal });
    items.push(...page.items);
    next = page.metadata.continue ?? "";
    if (next !== "") continue;
    stats.lists += 1;
    stats.heardAt = performance.now();
    target.onList(items);
    return page.metadata.resourceVersion;
  }
}

/** One watch connection, to its clean end. */
async function follow(context: Context, position: Position): Promise<void> {
  const { connection, target, timings, stats, signal } = context;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("The watch went silent.")), timings.silentMs);
  try {
    const stream = await connection.stream({
      method: "GET",
      path: target.path,
      query: {
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: position.version ?? "",
        timeoutSeconds: String(timings.serverTimeoutSeconds),
        ...(target.labelSelector === undefined ? {} : { labelSelector: target.labelSelector }),
      },
      what: `watch ${target.name}`,
      signal: AbortSignal.any([signal, silence.signal]),
    });
    stats.isFollowing = true;
    for await (const line of readLines(stream)) {
      timer.refresh();
      takeEvent(line, target, position);
      stats.heardAt = performance.now();
      stats.events += 1;
      position.failures = 0;
    }
    stats.heardAt = performance.now();
    position.failures = 0;
  } finally {
    clearTimeout(timer);
  }
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: LiveObject & { readonly code?: number; readonly message?: string };
}

function takeEvent(line: string, target: WatchTarget, position: Position): void {
  // Every line is one event as the server's watch protocol defines it; text that is no JSON breaks the watch.
  const { type, object } = JSON.parse(line) as WatchEvent;
  if (type === "ERROR") {
    const message = `watch ${target.name}: ${String(object.code)} ${object.message ?? ""}`;
    throw object.code === 410 ? new Expired(message) : new ClusterUnreachable(message);
  }
  if (type !== "BOOKMARK") target.onChange(object, type === "DELETED");
  position.version = object.metadata.resourceVersion ?? position.version;
}
