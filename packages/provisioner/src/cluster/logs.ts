import { ClusterUnreachable, InvalidObject, NotFound } from "../errors.ts";
import { namespaceName } from "../render/names.ts";
import type { CallOptions } from "./cluster.ts";
import type { Connection, KubeRequest } from "./connection.ts";
import { type LogLine, readLogLines } from "./log-lines.ts";
import { objectPath } from "./resources.ts";

export interface LogQuery {
  readonly instanceId: string;
  readonly pod: string;
  readonly container: string;
  /** Of the run before the last restart. Such a log is never followed. */
  readonly isPrevious: boolean;
  /** Goes on with what is written from now on, until the container ends. */
  readonly isFollowed: boolean;
  /** How many of the last lines; null: all that are kept. */
  readonly tailLines: number | null;
  /** Lines from this second on; null: from the beginning. */
  readonly since: Date | null;
}

/** What is read of a log that is not followed, in bytes; enough for a thousand of the longest lines that are shown. */
const longestLogBytes = 16 * 1_024 ** 2;

/**
 * The lines of one container. Nothing is sent before the first is asked for. A container that has not begun, or has no run
 * before this one, has said nothing. Throws NotFound when pod or container are gone, ClusterUnreachable when the
 * connection breaks in the middle, and the reason of the signal when the caller aborts; leaving the loop closes the
 * connection.
 */
export async function* readLogs(
  connection: Connection,
  query: LogQuery,
  call: CallOptions | undefined,
): AsyncGenerator<LogLine> {
  const { instanceId, pod, container, isPrevious, isFollowed, tailLines, since } = query;
  const request: KubeRequest = {
    method: "GET",
    path: `${objectPath("Pod", encodeURIComponent(pod), namespaceName(instanceId))}/log`,
    query: {
      container,
      timestamps: "true",
      ...(isPrevious ? { previous: "true" } : {}),
      ...(isFollowed && !isPrevious ? { follow: "true" } : { limitBytes: String(longestLogBytes) }),
      ...(tailLines === null ? {} : { tailLines: String(tailLines) }),
      // Whole seconds: the API server drops the fraction on its way to the kubelet.
      ...(since === null ? {} : { sinceTime: `${since.toISOString().slice(0, 19)}Z` }),
    },
    what: "get Pod log",
    signal: call?.signal,
    // The kubelet sends its headers with the first line, and a quiet app may not write one for hours.
    hasLateHeaders: isFollowed && !isPrevious,
  };
  const chunks = await connection.stream(request).catch((error: unknown) => {
    if (!(error instanceof InvalidObject)) throw error;
    if (/waiting to start|previous terminated container|not available|does not have a host/u.test(error.message)) {
      return null;
    }
    throw new NotFound("get Pod log: there is no such container.", { cause: error });
  });
  if (chunks === null) return;
  try {
    yield* readLogLines(chunks);
  } catch (error) {
    call?.signal?.throwIfAborted();
    throw new ClusterUnreachable("get Pod log: the connection broke.", null, { cause: error });
  }
}
