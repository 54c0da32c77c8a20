import { setTimeout as wait } from "node:timers/promises";
import { createLogTicket, DomainError, type LogTicketInput } from "@sewa/core";
import type { Context, OpaqueCore, OpenFeed, RelayedLog } from "../context.ts";
import { coreContext } from "../core-context.ts";
import type { Stream } from "../streams.ts";
import type { LogLineDto, LogsDto, LogsInput, LogStreamDto, OnLogInput } from "./dto.ts";
import { followLog, toLogLineDto } from "./follow-log.ts";
import { readLogEventId } from "./log-position.ts";

type LogContext = Context & {
  readonly core: OpaqueCore;
  readonly identity: { readonly organizationId: string };
  confirm(): Promise<void>;
};

const usualTailLines = 200;
/** What a stream without a position begins with. */
const firstLines = 100;
const maxLogBytes = 1_024 ** 2;
const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** The last lines of a pod. `input.instanceId` is the uuid. Throws NOT_FOUND and LOGS_UNAVAILABLE. */
export async function readInstanceLogs(
  ctx: LogContext,
  input: LogsInput,
  signal: AbortSignal = new AbortController().signal,
): Promise<LogsDto> {
  const { previous, tailLines = usualTailLines, ...where } = input;
  // One more than is shown tells whether there is more.
  const ticket = await createLogTicket(coreContext(ctx), { ...where, isPrevious: previous, tailLines: tailLines + 1 });
  const lines: LogLineDto[] = [];
  let bytes = 0;
  let isTruncated = false;
  let end: Extract<RelayedLog, { kind: "end" }>["reason"] = "lost";
  for await (const piece of ctx.readLog(ticket, signal)) {
    for (const item of piece) {
      if (item.kind === "end") {
        end = item.reason;
        continue;
      }
      const line = toLogLineDto(item);
      lines.push(line);
      bytes += sizeOf(line);
      while (lines.length > tailLines || bytes > maxLogBytes) {
        const oldest = lines.shift();
        bytes -= oldest === undefined ? 0 : sizeOf(oldest);
        isTruncated = true;
      }
    }
  }
  if (end === "gone") throw new DomainError("NOT_FOUND", "No such pod.");
  if (end === "lost" && lines.length === 0) {
    throw new DomainError("LOGS_UNAVAILABLE", "Logs cannot be read at the moment.", { retryAfterSeconds: 5 });
  }
  return { pod: ticket.pod, lines, isTruncated, gap: end === "lost" };
}

/** Follows the log of one pod until the pod, the session or the client is gone. `input.instanceId` is the uuid. */
export async function* streamInstanceLog(
  ctx: LogContext,
  { instanceId, pod: wanted, lastEventId }: OnLogInput,
  signal: AbortSignal | undefined,
): Stream<LogStreamDto> {
  const core = coreContext(ctx);
  const seen = readLogEventId(lastEventId);
  const resumed = seen !== null && (wanted === undefined || seen.pod === wanted) ? seen : null;
  const first = resumed === null ? await ask({ pod: wanted, tailLines: 0 }) : null;
  const pod = resumed?.pod ?? first?.pod ?? "";
  const giveBack = ctx.holdLog(`${instanceId}/${pod}`);
  const changes = openFeed();
  const ended = new AbortController();
  const until = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
  const watching = watchCaller(ctx, changes, ended);
  let runs = 0;
  try {
    yield* followLog({
      pod,
      position: resumed?.position ?? null,
      async open(since) {
        ended.signal.throwIfAborted();
        await ctx.confirm();
        const tailLines = since === null ? firstLines : null;
        const ticket = await ask({ pod, isFollowed: true, tailLines, since }).catch((error: unknown) => {
          if (error instanceof DomainError && error.code === "NOT_FOUND") return null;
          // Workers come and go; a client that has begun to listen waits for the next one.
          if (runs > 0 && error instanceof DomainError && error.code === "LOGS_UNAVAILABLE") return "later";
          throw error;
        });
        if (ticket === "later") return nothing();
        // A pod that has ended says no more than it has said.
        if (ticket === null || (ticket.hasEnded && runs > 0)) return null;
        runs += 1;
        return ctx.readLog(ticket, until);
      },
      async pause(vain) {
        const ms = Math.min(firstPauseMs * 2 ** vain, longestPauseMs);
        await wait(ms, undefined, { signal: until }).catch(() => undefined);
        ended.signal.throwIfAborted();
        return !until.aborted;
      },
      flushed: () => ctx.flushed(),
    });
  } finally {
    changes.close();
    giveBack();
    await watching;
  }

  function ask(what: Omit<LogTicketInput, "instanceId">): ReturnType<typeof createLogTicket> {
    return createLogTicket(core, { instanceId, ...what });
  }

  function openFeed(): OpenFeed {
    try {
      return ctx.openFeed(ctx.identity.organizationId, signal);
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

/** Ends what is followed when the caller may no longer: an event of the organization or of the user wakes it. */
async function watchCaller(ctx: LogContext, changes: OpenFeed, ended: AbortController): Promise<void> {
  try {
    while (await changes.next()) await ctx.confirm();
  } catch (error) {
    ended.abort(error);
  }
}

async function* nothing(): AsyncGenerator<readonly RelayedLog[]> {
  yield [{ kind: "end", reason: "lost" }];
}

function sizeOf({ text }: LogLineDto): number {
  return Buffer.byteLength(text) + 1;
}
