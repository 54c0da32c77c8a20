import type { LogSource, RelayedLog } from "@sewa/api";
import { z } from "zod";

export interface LogSourceTimings {
  /** How long each worker may take to begin its answer. */
  readonly answerMs: number;
  /** Workers send an empty line every ten seconds; after this without one the connection is dead. */
  readonly silentMs: number;
}

const usualTimings: LogSourceTimings = { answerMs: 3_000, silentMs: 30_000 };
/** The relay cuts lines far below this. */
const longestLine = 1_024 ** 2;

const itemSchema = z.union([
  z.object({ at: z.string().nullable(), text: z.string(), isCut: z.boolean() }),
  z.object({ end: z.enum(["ended", "gone", "lost"]) }),
]);

/**
 * Reads a log through the first worker that lets us in, a piece for each chunk that arrives. Never throws: whatever breaks
 * is the end `lost`, and an aborted signal just ends it. Who stops reading closes the connection.
 */
export async function* readLog(
  source: LogSource,
  signal: AbortSignal,
  timings: LogSourceTimings = usualTimings,
): AsyncGenerator<readonly RelayedLog[]> {
  const left = new AbortController();
  const silence = createSilence(timings.silentMs);
  const either = AbortSignal.any([signal, silence.signal, left.signal]);
  try {
    const body = await ask(source, either, timings.answerMs);
    if (body !== null) {
      silence.listen();
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of body) {
        // How long the reader takes is no silence of the worker.
        silence.stop();
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        if (rest.length > longestLine) break;
        const piece = lines.filter((line) => line !== "").map(toItem);
        if (piece.length > 0) yield piece;
        if (piece.at(-1)?.kind === "end") return;
        silence.listen();
      }
    }
  } catch {
    // A reset, a worker that fell silent or one that speaks another language: all the reader needs to know is below.
  } finally {
    silence.stop();
    left.abort();
  }
  if (!signal.aborted) yield [{ kind: "end", reason: "lost" }];
}

/** Aborts when nothing was heard for `ms` since `listen` was called last, unless `stop` was. */
function createSilence(ms: number): { readonly signal: AbortSignal; listen(): void; stop(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    signal: controller.signal,
    stop,
    listen() {
      stop();
      timer = setTimeout(() => controller.abort(), ms);
    },
  };
}

/** Null when nobody lets us in. A worker that was killed just now still stands in the list; the next one is asked. */
async function ask(
  { urls, ticket }: LogSource,
  signal: AbortSignal,
  answerMs: number,
): Promise<AsyncIterable<Uint8Array> | null> {
  for (const url of urls) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), answerMs);
    try {
      const response = await fetch(`${url}/logs?ticket=${ticket}`, { signal: AbortSignal.any([signal, late.signal]) });
      if (response.ok && response.body !== null) return response.body;
      await response.body?.cancel();
    } catch {
      if (signal.aborted) return null;
    } finally {
      // It bounds the answer's beginning and not the log.
      clearTimeout(timer);
    }
  }
  return null;
}

function toItem(line: string): RelayedLog {
  const item = itemSchema.parse(JSON.parse(line));
  return "end" in item ? { kind: "end", reason: item.end } : { kind: "line", ...item };
}
