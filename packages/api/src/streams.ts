import { isTrackedEnvelope, tracked, type TrackedEnvelope } from "@trpc/server";
import type { ChangeFeed } from "./context.ts";
import type { Schema } from "./schema.ts";

export type Stream<T> = AsyncGenerator<TrackedEnvelope<T>, void, unknown>;

/** The output schema of a subscription: each thing that is sent is checked, as the answer of a query is. */
export function streamOf<T>(schema: Schema<T>): (value: unknown) => Stream<T> {
  return (value) => checked(value as AsyncIterable<unknown>, schema);
}

async function* checked<T>(stream: AsyncIterable<unknown>, schema: Schema<T>): Stream<T> {
  for await (const item of stream) {
    if (!isTrackedEnvelope(item)) throw new Error("Broken invariant: what a stream sends is tracked");
    schema.parse(item[1]);
    yield item as TrackedEnvelope<T>;
  }
}

/**
 * A snapshot, then a new one whenever `versionOf` has gone up: what came in between is left out. A client that has seen
 * `lastEventId` gets its next one only when there is something newer; one that claims a version which is no whole number
 * or lies ahead of us gets the snapshot. Ends when the thing has ended, or the client is gone.
 */
export async function* streamSnapshots<T>(options: {
  readonly read: () => Promise<T>;
  readonly versionOf: (snapshot: T) => number;
  readonly hasEnded: (snapshot: T) => boolean;
  readonly changes: ChangeFeed;
  readonly lastEventId: string | null | undefined;
}): Stream<T> {
  const { read, versionOf, hasEnded, changes, lastEventId } = options;
  let snapshot = await read();
  let seen = readEventId(lastEventId);
  if (seen === null || seen > versionOf(snapshot)) seen = -1;
  for (; ; snapshot = await read()) {
    if (versionOf(snapshot) > seen) {
      seen = versionOf(snapshot);
      yield tracked(String(seen), snapshot);
    }
    if (hasEnded(snapshot) || !(await changes.next())) return;
  }
}

export interface Log<T> {
  /** The last sequence that was given out, and the oldest one that is kept (0 when there is none). */
  bounds(): Promise<{ readonly head: number; readonly oldest: number }>;
  /** Oldest first; shorter than `pageSize` when that was all. */
  after(sequence: number): Promise<readonly { readonly sequence: number; readonly item: T }[]>;
  readonly pageSize: number;
  /** What is sent where the replay has a gap. */
  reset(head: number): T;
}

/**
 * Everything after `lastEventId`, in order and without gaps, then what follows. Without an id it begins now. An id that is
 * none of ours, or from before the kept log, gets one reset that says from where on it goes.
 */
export async function* streamLog<T>(options: {
  readonly log: Log<T>;
  readonly changes: ChangeFeed;
  readonly flushed: () => Promise<void>;
  readonly lastEventId: string | null | undefined;
}): Stream<T> {
  const { log, changes, flushed, lastEventId } = options;
  const { head, oldest } = await log.bounds();
  let seen = lastEventId == null ? head : readEventId(lastEventId);
  if (seen === null || seen > head || (seen < head && seen + 1 < oldest)) {
    seen = head;
    yield tracked(String(head), log.reset(head));
  }
  do {
    for (let page = await log.after(seen); page.length > 0; page = await log.after(seen)) {
      for (const { sequence, item } of page) {
        yield tracked(String(sequence), item);
        seen = sequence;
      }
      if (page.length < log.pageSize) break;
      await flushed();
    }
  } while (await changes.next());
}

/** Null for what none of our streams has sent as an id. */
export function readEventId(id: string | null | undefined): number | null {
  if (id == null || !/^(0|[1-9][0-9]{0,15})$/.test(id)) return null;
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : null;
}
