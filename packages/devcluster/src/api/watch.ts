import type { ServerResponse } from "node:http";
import type { JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { internal, type StatusBody } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import { selectionOf } from "../objects/list.ts";
import type { StoreEvent } from "../store/store.ts";
import type { ListParameters } from "./query.ts";
import type { Route } from "./route.ts";

const bookmarkIntervalMs = 60_000;
const lastBookmarkBeforeEndMs = 2_000;
/** Watches without a timeout end by themselves after half an hour to an hour, as on a real server. */
const defaultTimeoutSeconds = 1_800;
/** A client that reads so slowly that this much is waiting for it is cut off; it will list again. */
const backlogLimitBytes = 16_777_216;

/** The open watches, so that tests can cut them and a stopping server can end them. */
export class Watches {
  readonly #open = new Set<() => void>();
  readonly #sockets = new Set<ServerResponse>();

  get size(): number {
    return this.#open.size;
  }

  /** Resets the connections, as a network that breaks does. Answers how many. */
  drop(): number {
    for (const response of this.#sockets) response.socket?.resetAndDestroy();
    return this.#sockets.size;
  }

  /** Another answer that stays open, to be cut with the watches: a followed log. */
  adopt(response: ServerResponse): void {
    const end = (): void => void response.end();
    this.#open.add(end);
    this.#sockets.add(response);
    response.on("close", () => {
      this.#open.delete(end);
      this.#sockets.delete(response);
    });
  }

  /** An answer that never ends well: it is only there to be cut. */
  hold(response: ServerResponse): void {
    this.#sockets.add(response);
    response.on("close", () => this.#sockets.delete(response));
  }

  endAll(): void {
    for (const end of Array.from(this.#open)) end();
  }

  /** Serves one watch until its time is over or its client is gone. */
  serve(
    objects: Objects,
    route: Route,
    parameters: ListParameters & { readonly badVersion: string | null },
    response: ServerResponse,
  ): void {
    const { store } = objects;
    const { resource, namespace } = route;
    const { badVersion, resourceVersion } = parameters;
    if (badVersion !== null) {
      throw internal(
        `resourceVersion: Invalid value: "${badVersion}": strconv.ParseUint: parsing "${badVersion}": invalid syntax`,
      );
    }
    const fields = route.name === null ? parameters.fieldSelector : `metadata.name=${route.name}`;
    const selection = selectionOf(resource, parameters.labelSelector, fields);
    const stream = beginWatch(response);
    const isInScope = (object: KubeObject): boolean => namespace === "" || object.metadata.namespace === namespace;
    const startsWithState = parameters.sendsInitialEvents ?? (resourceVersion === null || resourceVersion === 0);
    let sentVersion = store.version;
    if (startsWithState) {
      const state = store.list(resource.key, namespace === "" ? undefined : namespace).filter(selection.matches);
      for (const object of state) stream.event("ADDED", object);
      if (parameters.sendsInitialEvents === true && parameters.allowsBookmarks) {
        stream.event("BOOKMARK", bookmark(route, store.version, { "k8s.io/initial-events-end": "true" }));
      }
    } else {
      const changes = store.since(resourceVersion ?? store.version);
      if (changes === null) {
        const message = `too old resource version: ${resourceVersion} (${store.compactedTo})`;
        stream.error({
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          message,
          reason: "Expired",
          code: 410,
        });
        response.end();
        return;
      }
      for (const change of changes) {
        if (change.resource === resource.key && isInScope(change.object)) translate(stream, selection.matches, change);
      }
      sentVersion = Math.max(resourceVersion ?? 0, store.version);
    }

    const unsubscribe = store.subscribe((change) => {
      if (change.resource !== resource.key || !isInScope(change.object)) return;
      translate(stream, selection.matches, change);
      if (response.writableLength > backlogLimitBytes) response.socket?.resetAndDestroy();
    });
    const sendBookmark = (): void => {
      const last = store.lastChangeOf(resource.key);
      if (last <= sentVersion) return;
      sentVersion = store.version;
      stream.event("BOOKMARK", bookmark(route, store.version));
    };
    const timeoutMs = (parameters.timeoutSeconds ?? defaultTimeoutSeconds) * 1000;
    const timers: NodeJS.Timeout[] = [];
    if (parameters.allowsBookmarks) {
      timers.push(setInterval(sendBookmark, bookmarkIntervalMs));
      timers.push(setTimeout(sendBookmark, Math.max(0, timeoutMs - lastBookmarkBeforeEndMs)));
    }
    const close = (): void => {
      unsubscribe();
      for (const timer of timers) clearTimeout(timer);
      this.#open.delete(end);
      this.#sockets.delete(response);
    };
    const end = (): void => {
      close();
      response.end();
    };
    timers.push(setTimeout(end, timeoutMs));
    for (const timer of timers) timer.unref();
    this.#open.add(end);
    this.#sockets.add(response);
    response.on("close", close);
  }
}

/** The head of the answer is sent at once: a watch on which nothing happens has begun nevertheless. */
export function beginWatch(response: ServerResponse): WatchStream {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  return new WatchStream(response);
}

class WatchStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  event(type: string, object: KubeObject | JsonRecord): void {
    this.#response.write(`${JSON.stringify({ type, object })}\n`);
  }

  error(status: StatusBody): void {
    this.#response.write(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
  }
}

/** A selection sees objects come and go that only change: leaving shows the old content under the new version. */
function translate(stream: WatchStream, matches: (object: KubeObject) => boolean, change: StoreEvent): void {
  const { type, object, previous } = change;
  const matchedBefore = previous !== null && matches(previous);
  if (type === "DELETED") {
    if (matchedBefore) stream.event("DELETED", object);
    return;
  }
  const matchesNow = matches(object);
  if (matchesNow) stream.event(matchedBefore ? "MODIFIED" : "ADDED", object);
  else if (matchedBefore) {
    const { resourceVersion } = object.metadata;
    stream.event("DELETED", { ...previous, metadata: { ...previous.metadata, resourceVersion } });
  }
}

function bookmark(route: Route, version: number, annotations?: Record<string, string>): JsonRecord {
  const { kind, groupVersion } = route.resource;
  const metadata = { resourceVersion: String(version), ...(annotations === undefined ? {} : { annotations }) };
  return { kind, apiVersion: groupVersion, metadata };
}
