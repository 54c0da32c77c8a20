import type { OpenFeed } from "@sewa/api";
import { organizationChannel } from "@sewa/core";
import type { Database } from "@sewa/db";

/** Tells the streams of this process that an organization has changed. One LISTEN for all of them. */
export interface FeedHub extends AsyncDisposable {
  /**
   * Of everything that happens under these ids, those of organizations and of users alike. Ends by itself when `signal`
   * aborts. Open it before the first read.
   */
  open(ids: readonly string[], signal?: AbortSignal): OpenFeed;
  readonly size: number;
}

export interface FeedHubOptions {
  /** A notification may be lost, so each feed says "look again" after this, give or take a tenth. */
  readonly slowTimerMs: number;
  /** The connection was lost and is back. Everybody has been told to look again. */
  readonly onReconnect: () => void;
}

/** Rejects when the database does not answer. */
export async function startFeedHub(database: Database, options: FeedHubOptions): Promise<FeedHub> {
  const byId = new Map<string, Set<Feed>>();
  let size = 0;
  let connects = 0;
  const wakeAll = (): void => {
    for (const feeds of byId.values()) for (const feed of feeds) feed.wake();
  };
  const listening = await database.listen(
    organizationChannel,
    (id) => {
      for (const feed of byId.get(id) ?? []) feed.wake();
    },
    () => {
      connects += 1;
      if (connects === 1) return;
      options.onReconnect();
      wakeAll();
    },
  );
  return {
    open(ids, signal) {
      const feed = createFeed(options.slowTimerMs, signal, () => {
        size -= 1;
        for (const id of ids) {
          const feeds = byId.get(id);
          feeds?.delete(feed);
          if (feeds?.size === 0) byId.delete(id);
        }
      });
      for (const id of ids) {
        const feeds = byId.get(id) ?? new Set<Feed>();
        byId.set(id, feeds.add(feed));
      }
      size += 1;
      if (signal?.aborted === true) feed.close();
      return feed;
    },
    get size() {
      return size;
    },
    async [Symbol.asyncDispose]() {
      for (const feeds of byId.values()) for (const feed of feeds) feed.close();
      await listening.close();
    },
  };
}

interface Feed extends OpenFeed {
  /** However often it is called before the stream looks, the stream looks once. */
  wake(): void;
}

function createFeed(slowTimerMs: number, signal: AbortSignal | undefined, onClose: () => void): Feed {
  let isClosed = false;
  let isChanged = false;
  let waiting: ((changed: boolean) => void) | null = null;
  let timer: NodeJS.Timeout | undefined;

  const answer = (changed: boolean): void => {
    clearTimeout(timer);
    const resolve = waiting;
    waiting = null;
    resolve?.(changed);
  };
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    signal?.removeEventListener("abort", close);
    onClose();
    answer(false);
  };
  signal?.addEventListener("abort", close, { once: true });
  return {
    close,
    wake() {
      if (waiting === null) isChanged = true;
      else answer(true);
    },
    next() {
      if (isClosed) return Promise.resolve(false);
      if (isChanged) {
        isChanged = false;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        waiting = resolve;
        // Spread, so that after a reconnect not all streams look at once for ever.
        timer = setTimeout(() => answer(true), slowTimerMs * (0.9 + Math.random() / 5));
      });
    },
  };
}
