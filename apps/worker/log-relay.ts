import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type CoreContext, type LogTicket, verifyLogTicket } from "@sewa/core";
import { type Cluster, type LogLine, type LogQuery, NotFound } from "@sewa/provisioner";
import { createPace } from "./pace.ts";
import type { Logger } from "./log.ts";

/**
 * Why a relayed log ended. `ended`: that is all, or the container has ended. `gone`: there is no such pod or container.
 * `lost`: the cluster did not answer, or the connection broke; there may be more.
 */
export type RelayEnd = "ended" | "gone" | "lost";

export interface LogRelayOptions {
  readonly core: Pick<CoreContext, "keyring" | "clock">;
  /** Null: this worker leaves clusters to others. */
  readonly cluster: Cluster | null;
  readonly log: Logger;
  readonly limits?: Partial<LogRelayLimits>;
}

export interface LogRelayLimits {
  /** At once, over all clients. */
  readonly streams: number;
  /** Longer than this nobody follows with one ticket; rights are checked again when the next one is asked for. */
  readonly followMs: number;
  /** An empty line is sent when nothing else was for so long, so that each side notices when the other is gone. */
  readonly beatMs: number;
  /** Of a followed log. An app that writes faster is read later: the cluster keeps what we have not taken. */
  readonly linesPerSecond: number;
  readonly bytesPerSecond: number;
}

export const usualRelayLimits: LogRelayLimits = {
  streams: 64,
  followMs: 3_600_000,
  beatMs: 10_000,
  linesPerSecond: 500,
  bytesPerSecond: 256 * 1_024,
};

export interface LogRelay {
  /** Answers `GET /logs?ticket=…`. Never rejects. */
  serve(ticket: string, response: ServerResponse): Promise<void>;
  /** Streams that are open now. */
  readonly size: number;
}

/**
 * Passes the log of one pod on to a server of ours that shows a ticket for it: a JSON object per line, `{ at, text, isCut }`
 * each, then one `{ end }`. Refusals have no such body: 401 for a ticket that is none, 503 when we cannot. Neither tickets
 * nor what apps write are logged.
 */
export function createLogRelay({ core, cluster, log, limits }: LogRelayOptions): LogRelay {
  const bounds = { ...usualRelayLimits, ...limits };
  let open = 0;
  return {
    get size() {
      return open;
    },
    async serve(ticketText, response) {
      const ticket = verifyLogTicket(core, ticketText);
      if (ticket === null) return refuse(response, 401, "no valid ticket");
      if (cluster === null) return refuse(response, 503, "no cluster");
      if (open >= bounds.streams) return refuse(response, 503, "too many streams");
      open += 1;
      try {
        await relay(cluster, ticket, response, bounds, log);
      } finally {
        open -= 1;
      }
    },
  };
}

async function relay(
  cluster: Cluster,
  ticket: LogTicket,
  response: ServerResponse,
  limits: LogRelayLimits,
  log: Logger,
): Promise<void> {
  const left = new AbortController();
  response.once("close", () => left.abort());
  // A client that resets says so here as well; `close` follows.
  response.on("error", () => left.abort());
  const overtime = AbortSignal.timeout(limits.followMs);
  const signal = AbortSignal.any([left.signal, overtime]);
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write("\n");
  }, limits.beatMs);
  try {
    await pass(cluster.logs(toQuery(ticket), { signal }), ticket.isFollowed, response, limits, signal);
    end(response, "ended");
  } catch (error) {
    if (left.signal.aborted) return void response.destroy();
    if (!overtime.aborted && !(error instanceof NotFound)) {
      log.warn({ instanceId: ticket.instanceId, pod: ticket.pod, err: error }, "log could not be read on");
    }
    end(response, error instanceof NotFound ? "gone" : "lost");
  } finally {
    clearInterval(beat);
  }
}

async function pass(
  lines: AsyncIterable<LogLine>,
  isPaced: boolean,
  response: ServerResponse,
  limits: LogRelayLimits,
  signal: AbortSignal,
): Promise<void> {
  const pace = createPace(limits, performance.now());
  for await (const line of lines) {
    const text = `${JSON.stringify(line)}\n`;
    if (!response.write(text)) await once(response, "drain", { signal });
    const waitMs = isPaced ? pace(text.length, performance.now()) : 0;
    if (waitMs > 0) await pause(waitMs, undefined, { signal });
  }
}

function toQuery({ instanceId, pod, container, isPrevious, isFollowed, tailLines, since }: LogTicket): LogQuery {
  return {
    instanceId,
    pod,
    container,
    isPrevious,
    isFollowed,
    tailLines,
    since: since === null ? null : new Date(since),
  };
}

function end(response: ServerResponse, reason: RelayEnd): void {
  response.end(`${JSON.stringify({ end: reason })}\n`);
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
}
