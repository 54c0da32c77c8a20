import type { MeasuredUsage } from "@sewa/core";
import { ClusterDenied, ClusterUnreachable, NotFound } from "../errors.ts";
import { toMeasuredUsage, type OwnedVolume } from "../observe/usage.ts";
import type { LivePodMetrics } from "../observe/wire.ts";
import { labelKeys, manager } from "../render/names.ts";
import type { CallOptions } from "./cluster.ts";
import type { Log } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { podMetrics } from "./resources.ts";

export interface UsageSource {
  readonly connection: Connection;
  /** All claims on storage of ours. */
  readonly listVolumes: (call: CallOptions | undefined) => Promise<readonly OwnedVolume[]>;
  readonly log: Log;
}

/**
 * Asks for the usage of all instances at once. Null while the cluster has no metrics-server, does not let us ask, or does
 * not answer: that is said once, and once more after it has answered in between.
 */
export function createUsageReader({
  connection,
  listVolumes,
  log,
}: UsageSource): (call: CallOptions | undefined) => Promise<readonly MeasuredUsage[] | null> {
  let isSilent = false;
  return async (call) => {
    try {
      const [pods, volumes] = await Promise.all([listPodMetrics(connection, call), listVolumes(call)]);
      isSilent = false;
      return toMeasuredUsage(pods, volumes);
    } catch (error) {
      call?.signal?.throwIfAborted();
      if (!isExpected(error)) throw error;
      if (!isSilent) log.warn({ err: error }, "the cluster tells no usage, so none is recorded");
      isSilent = true;
      return null;
    }
  };
}

/** In one answer: a metrics-server knows no pages. */
async function listPodMetrics(
  connection: Connection,
  call: CallOptions | undefined,
): Promise<readonly LivePodMetrics[]> {
  const { group, version, plural } = podMetrics;
  const { items } = await connection.json<{ readonly items: readonly LivePodMetrics[] }>({
    method: "GET",
    path: `/apis/${group}/${version}/${plural}`,
    query: { labelSelector: `${labelKeys.managedBy}=${manager}` },
    what: "list PodMetrics",
    signal: call?.signal,
  });
  return items;
}

function isExpected(error: unknown): boolean {
  return error instanceof NotFound || error instanceof ClusterDenied || error instanceof ClusterUnreachable;
}
