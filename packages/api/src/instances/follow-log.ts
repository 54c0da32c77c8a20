import { tracked } from "@trpc/server";
import type { RelayedLog } from "../context.ts";
import type { Stream } from "../streams.ts";
import type { LogLineDto, LogStreamDto } from "./dto.ts";
import { advance, type LogPosition, writeLogEventId } from "./log-position.ts";

export interface FollowLog {
  readonly pod: string;
  /** Where the client has stopped reading; null: it begins with the last lines. */
  readonly position: LogPosition | null;
  /**
   * Begins to read: everything from the second of `since` on, or, when null, the last lines. Answers null when the pod is
   * no longer there. Throws what ends the stream.
   */
  open(since: Date | null): Promise<AsyncIterable<readonly RelayedLog[]> | null>;
  /** Waits before the log is opened again; the last `vain` times it had nothing new. False: the client is gone. */
  pause(vain: number): Promise<boolean>;
  /** Resolves once the client has taken most of what was sent. */
  flushed(): Promise<void>;
}

/**
 * Follows the log of one pod through restarts of its container and breaks of the connection, until the pod is gone. The
 * cluster can only begin at a whole second, so what the client has is left out by counting. Its last line is looked for:
 * when a break was followed by lines among which it is not (the file was begun anew, the container was restarted
 * meanwhile), what lies between is a gap.
 */
export async function* followLog(options: FollowLog): Stream<LogStreamDto> {
  const { pod } = options;
  let { position } = options;
  // A log that has ended in order was read to its end; only then a new beginning means that nothing is missing.
  let isWhole = false;
  for (let vain = 1; ; vain += 1) {
    const pieces = await options.open(position === null ? null : new Date(`${position.at.slice(0, 19)}Z`));
    if (pieces === null) {
      yield tracked(writeLogEventId(pod, position), { kind: "end", pod });
      return;
    }
    const resume = createResume(position, isWhole);
    isWhole = false;
    for await (const piece of pieces) {
      const lines: LogLineDto[] = [];
      for (const item of piece) {
        if (item.kind === "end") {
          if (item.reason === "gone") {
            if (lines.length > 0) yield tracked(writeLogEventId(pod, position), { kind: "lines", pod, lines });
            yield tracked(writeLogEventId(pod, position), { kind: "end", pod });
            return;
          }
          isWhole = item.reason === "ended" && resume.isWhole();
          continue;
        }
        const found = resume.judge(item.at);
        if (found === "known") continue;
        if (found !== "next" && position !== null) {
          const gap = {
            kind: "gap",
            from: momentOf(position.at),
            to: item.at === null ? null : momentOf(item.at),
          } as const;
          yield tracked(writeLogEventId(pod, position), gap);
        }
        if (item.at !== null) position = advance(position, item.at);
        lines.push(toLogLineDto(item));
      }
      if (lines.length === 0) continue;
      vain = 0;
      yield tracked(writeLogEventId(pod, position), { kind: "lines", pod, lines });
      await options.flushed();
    }
    if (!(await options.pause(vain))) return;
  }
}

interface Resume {
  /** What a line means to the client: it is known, the next, or the first after a gap. */
  judge(at: string | null): "known" | "next" | "afterGap";
  /** Nothing is missing between what the client has and what was judged so far. */
  isWhole(): boolean;
}

function createResume(position: LogPosition | null, wasWhole: boolean): Resume {
  let left = position?.count ?? 0;
  let isResumed = position === null;
  return {
    judge(at) {
      if (isResumed || position === null) return "next";
      // A line without a time can only be told apart once the place was found.
      if (at === null || at < position.at) return "known";
      if (at === position.at && left > 0) {
        left -= 1;
        return "known";
      }
      isResumed = true;
      return left === 0 || wasWhole ? "next" : "afterGap";
    },
    isWhole: () => isResumed || wasWhole || left === 0,
  };
}

export function toLogLineDto({ at, text, isCut }: Extract<RelayedLog, { kind: "line" }>): LogLineDto {
  return { at: at === null ? null : momentOf(at), text: isCut ? `${text}…` : text };
}

function momentOf(at: string): Date {
  return new Date(`${at.slice(0, 23)}Z`);
}
