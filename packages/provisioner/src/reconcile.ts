import type { Observation, ReasonCode } from "@sewa/core";
import type { Cluster } from "./cluster/cluster.ts";
import {
  ClusterDenied,
  ClusterUnreachable,
  Conflict,
  InvalidObject,
  NamespaceTerminating,
  NameTaken,
  NotFound,
  QuotaRefused,
  TerminalError,
} from "./errors.ts";
import { unknownObservation } from "./observe/derive.ts";
import type { InstanceSpec } from "./render/types.ts";
import type { InstanceStore } from "./store.ts";

export interface ReconcileDeps {
  readonly instances: InstanceStore;
  readonly cluster: Cluster;
}

export type ReconcileOutcome =
  | { readonly outcome: "converged" }
  /** The world needs time. The watch usually calls earlier than `requeueAfterMs`. */
  | { readonly outcome: "progressing"; readonly requeueAfterMs: number }
  /** Somebody else holds the instance. */
  | { readonly outcome: "busy"; readonly requeueAfterMs: number };

const delaysMs = {
  busy: 5_000,
  /** The watch tells what happens to objects; this is for the events that were lost. */
  watched: 15_000,
  /** Nothing in the cluster changes when an app begins to answer, so it must be asked again. */
  asked: 2_000,
  deleting: 5_000,
  /** Rights and quotas are given by people, and what holds a removal is let go by them. */
  refused: 60_000,
} as const;

/**
 * Brings the world one step towards what is desired and records what it then looks like. Reads everything, remembers
 * nothing, and may run at any time.
 *
 * Throws to be retried with back-off (the cluster does not answer), `TerminalError` when no retry can help, and the
 * signal's reason when the worker stops.
 */
export async function reconcileInstance(
  deps: ReconcileDeps,
  instanceId: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReconcileOutcome> {
  await using lease = await deps.instances.lease(instanceId);
  if (lease === null) {
    // What the cluster has of others, or what our database no longer knows, is not ours to touch.
    const isKnown = await deps.instances.exists(instanceId);
    return isKnown ? { outcome: "busy", requeueAfterMs: delaysMs.busy } : { outcome: "converged" };
  }
  const bound = AbortSignal.any([signal, lease.signal]);
  try {
    const loaded = await deps.instances.load(lease);
    if (loaded === null) return { outcome: "converged" };
    const { spec } = loaded;
    const { observation, error } = await bringAbout(deps.cluster, spec, bound);
    bound.throwIfAborted();
    const { settled } = await deps.instances.recordObserved(lease, spec.generation, observation);
    if (error !== null) return afterFailure(error);
    return settled ? { outcome: "converged" } : { outcome: "progressing", requeueAfterMs: delayFor(observation) };
  } catch (error) {
    // A lost lease is somebody else's work by now, no failure of ours.
    if (lease.signal.aborted && !signal.aborted) return { outcome: "busy", requeueAfterMs: delaysMs.busy };
    throw error;
  }
}

interface Brought {
  readonly observation: Observation;
  /** Why the change could not be made. */
  readonly error: Error | null;
}

async function bringAbout(cluster: Cluster, spec: InstanceSpec, signal: AbortSignal): Promise<Brought> {
  try {
    if (spec.phase === "absent") await cluster.remove(spec, { signal });
    else await cluster.apply(spec, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (isOvertaken(error)) return { observation: await cluster.observe(spec, { signal }), error };
    const reason = failureReason(error);
    if (reason === null) throw error;
    // What the world looks like after half an apply is not known, and the former look must not stand for it.
    const observation = unknownObservation(spec, reason, error instanceof TerminalError);
    return { observation, error: error instanceof Error ? error : new Error(String(error)) };
  }
  const observation = await cluster.observe(spec, { signal });
  const isNewlyClaimed = observation.ownerClaimed && !spec.ownerClaimed && spec.phase === "running";
  // The claim has just succeeded: open the address now instead of at the next occasion.
  return isNewlyClaimed ? bringAbout(cluster, { ...spec, ownerClaimed: true }, signal) : { observation, error: null };
}

/** Somebody else changed the world in between; it answers, so it can be looked at. */
function isOvertaken(error: unknown): error is Error {
  return error instanceof NamespaceTerminating || error instanceof Conflict || error instanceof NotFound;
}

function failureReason(error: unknown): ReasonCode | null {
  if (error instanceof ClusterUnreachable) return "CLUSTER_UNREACHABLE";
  if (error instanceof ClusterDenied) return "CLUSTER_DENIED";
  if (error instanceof QuotaRefused) return "QUOTA_EXCEEDED";
  if (error instanceof NameTaken) return "NAME_TAKEN";
  return error instanceof InvalidObject ? "INVALID_OBJECT" : null;
}

function afterFailure(error: Error): ReconcileOutcome {
  if (error instanceof NamespaceTerminating) return { outcome: "progressing", requeueAfterMs: delaysMs.deleting };
  if (error instanceof ClusterDenied || error instanceof QuotaRefused) {
    return { outcome: "progressing", requeueAfterMs: delaysMs.refused };
  }
  if (error instanceof ClusterUnreachable && error.retryAfterMs !== null) {
    return { outcome: "progressing", requeueAfterMs: error.retryAfterMs };
  }
  throw error;
}

function delayFor({ phase, reason }: Observation): number {
  if (reason === "CLUSTER_DENIED" || reason === "DELETION_STUCK") return delaysMs.refused;
  if (phase === "deleting") return delaysMs.deleting;
  return reason === "HEALTH_CHECK_FAILED" ? delaysMs.asked : delaysMs.watched;
}
