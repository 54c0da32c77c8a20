import type { Observation } from "@sewa/core";
import { ClusterDenied, ClusterUnreachable } from "../errors.ts";
import { deriveObservation, unknownObservation } from "../observe/derive.ts";
import type { Health } from "../observe/look.ts";
import { toObservedNode } from "../observe/nodes.ts";
import { canAskHealth } from "../observe/running.ts";
import type { LiveList, LiveNode, LiveObject } from "../observe/wire.ts";
import { findClaimJob } from "../render/index.ts";
import { labelKeys, manager } from "../render/names.ts";
import type { ClusterSettings, InstanceSpec } from "../render/types.ts";
import { applyInstance, removeInstance, type AppliedObjects, type ApplyContext, type Effect } from "./apply.ts";
import type { CallOptions, Cluster, OwnedNamespace } from "./cluster.ts";
import { compareInstance } from "./compare.ts";
import { openConnection } from "./connection.ts";
import { eraseObject, eraseRunning } from "./erase.ts";
import { createHealthCheck } from "./health.ts";
import { readInventory } from "./inventory.ts";
import { readLogs } from "./logs.ts";
import { lookAtInstance } from "./look.ts";
import { previewInstance } from "./preview.ts";
import { probeApps } from "./probe.ts";
import { collectionPath, objectPath, type Kind } from "./resources.ts";
import { toSlim, type Slim } from "./slim.ts";
import { createUsageReader } from "./usage.ts";
import type { WatchTimings } from "./watch-kind.ts";
import { startWatcher, type WatchedCluster } from "./watcher.ts";

/** The part of a pino logger that is used. */
export interface Log {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ConnectOptions {
  /** Path or text of a kubeconfig; without it and without `inCluster`, what KUBECONFIG or the home folder names. */
  readonly kubeconfig?: string;
  /** Uses the ServiceAccount of the pod that this runs in. */
  readonly inCluster?: boolean;
  readonly settings: ClusterSettings;
  readonly log: Log;
  /** `host:port` of the ingress controller; without it an app counts as healthy when its pods are ready. */
  readonly ingressAddress?: string;
  /** Wraps each change of the cluster; for fault tests. */
  readonly effect?: Effect;
  readonly requestTimeoutMs?: number;
  /** After so long without one, a settled instance gets a pass all the same. */
  readonly resyncMs?: number;
  readonly watchTimings?: Partial<WatchTimings>;
  /** Milliseconds since the epoch; compared with the cluster's own timestamps, and what waits are kept by. */
  readonly now?: () => number;
  readonly random?: () => number;
}

const pageSize = 500;
const defaultResyncMs = 240_000;
/** A pass for another reason may come shortly before the resync; what cannot be watched is then not left for a whole one more. */
const secretsPerResync = 4;
const ours = { labelSelector: `${labelKeys.managedBy}=${manager}` } as const;

/** Opens a cluster. Nothing is sent before the first call; `ping` tells whether it answers. */
export function connectCluster(options: ConnectOptions): Cluster {
  const { settings, log, effect = (_, change) => change(), now = Date.now, random = Math.random } = options;
  const connection = openConnection(options, {
    ...(options.requestTimeoutMs === undefined ? {} : { requestMs: options.requestTimeoutMs }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const health = options.ingressAddress === undefined ? null : createHealthCheck(options.ingressAddress);
  const applied = new Map<string, AppliedObjects>();
  let watched: WatchedCluster | null = null;

  const appliedOf = (instanceId: string): AppliedObjects => {
    const objects = applied.get(instanceId) ?? new Map();
    applied.set(instanceId, objects);
    return objects;
  };
  const contextFor = (spec: InstanceSpec, call: CallOptions | undefined): ApplyContext => ({
    connection,
    settings,
    effect,
    watched,
    applied: appliedOf(spec.instanceId),
    secretMs: (options.resyncMs ?? defaultResyncMs) / secretsPerResync,
    signal: call?.signal,
  });
  const isOwnWrite = (path: string, hash: string): boolean => {
    const instanceId = /\/namespaces\/sewa-([0-9a-f-]{36})(\/|$)/u.exec(path)?.[1] ?? "";
    return applied.get(instanceId)?.get(path)?.live === hash;
  };

  const look = async (spec: InstanceSpec, call: CallOptions | undefined): Promise<Observation> => {
    const facts = await lookAtInstance(contextFor(spec, call), spec);
    const claimJob = findClaimJob(spec, settings)?.metadata.name ?? null;
    const found = { facts, claimJob, now: now() };
    let answer: Health = "unasked";
    if (health !== null && spec.phase === "running" && spec.app.healthChecks.length > 0 && canAskHealth(spec, found)) {
      const answers = spec.app.healthChecks.map(({ url }) => health.isHealthy(url, call?.signal));
      answer = (await Promise.all(answers)).every(Boolean) ? "healthy" : "unhealthy";
    }
    const observation = deriveObservation(spec, { ...found, health: answer });
    if (observation.reason === "DELETION_STUCK") {
      const { instanceId, organizationId } = spec;
      log.warn({ instanceId, organizationId, blockedBy: facts.namespace?.blockedBy ?? [] }, "removal is stuck");
    }
    return observation;
  };

  const listAll = async <T extends LiveObject>(
    kind: Kind,
    query: Readonly<Record<string, string>>,
    call: CallOptions | undefined,
  ): Promise<readonly T[]> => {
    const items: T[] = [];
    let next = "";
    do {
      const page: LiveList<T> = await connection.json({
        method: "GET",
        path: collectionPath(kind),
        query: { ...query, limit: String(pageSize), ...(next === "" ? {} : { continue: next }) },
        what: `list ${kind}`,
        signal: call?.signal,
      });
      items.push(...page.items);
      next = page.metadata.continue ?? "";
    } while (next !== "");
    return items;
  };

  const listVolumes = async (call: CallOptions | undefined): Promise<readonly Slim<"PersistentVolumeClaim">[]> => {
    const known = watched?.cache("PersistentVolumeClaim")?.all();
    if (known !== undefined) return known;
    const claims = await listAll("PersistentVolumeClaim", ours, call);
    return claims.map((claim) => toSlim("PersistentVolumeClaim", claim));
  };
  const readUsage = createUsageReader({ connection, listVolumes, log });

  return {
    apply: (spec, call) => applyInstance(contextFor(spec, call), spec),
    async observe(spec, call) {
      try {
        return await look(spec, call);
      } catch (error) {
        call?.signal?.throwIfAborted();
        const reason = unknownReason(error);
        if (reason === null) throw error;
        log.warn({ instanceId: spec.instanceId, err: error }, "instance could not be observed");
        return unknownObservation(spec, reason, false);
      }
    },
    async remove(spec, call) {
      await removeInstance(contextFor(spec, call), spec);
      applied.delete(spec.instanceId);
    },
    preview: (specs, call) => previewInstance(contextFor(specs.now, call), specs),
    nodes: async (call) => (await listAll<LiveNode>("Node", {}, call)).map(toObservedNode),
    async setSchedulable(nodeName, isSchedulable, call) {
      await effect("patch:Node", () =>
        connection.json({
          method: "PATCH",
          path: objectPath("Node", nodeName),
          query: { fieldManager: manager },
          body: { spec: { unschedulable: isSchedulable ? null : true } },
          contentType: "application/merge-patch+json",
          what: `patch Node ${nodeName}`,
          signal: call?.signal,
        }),
      );
    },
    watch(onInstance, onNode) {
      if (watched !== null) throw new Error("This cluster is watched already.");
      const onHandlerError = (error: unknown): void => log.warn({ err: error }, "watch handler failed");
      const timings = options.watchTimings ?? {};
      const watcher = startWatcher({ connection, onInstance, onNode, onHandlerError, isOwnWrite, timings, random });
      watched = watcher;
      return {
        ready: () => watcher.ready(),
        stats: () => watcher.stats(),
        async [Symbol.asyncDispose]() {
          watched = null;
          await watcher[Symbol.asyncDispose]();
        },
      };
    },
    inventory: (houseId, call) => readInventory(connection, houseId, call?.signal),
    compare: (spec, inventory, call) => compareInstance(contextFor(spec, call), spec, inventory),
    forget: (instanceId) => void applied.delete(instanceId),
    erase: (houseId, object, call) => eraseObject({ connection, effect, houseId, signal: call?.signal }, object),
    eraseRunning: (houseId, namespace, call) =>
      eraseRunning({ connection, effect, houseId, signal: call?.signal }, namespace),
    logs: (query, call) => readLogs(connection, query, call),
    usage: (call) => readUsage(call),
    canProbe: health !== null,
    async probe(apps, call) {
      if (health === null) throw new Error("Without the address of the ingress controller, apps cannot be asked.");
      return probeApps(health, apps, call);
    },
    async ping(call) {
      const request = { method: "GET", path: "/version", what: "get version", signal: call?.signal } as const;
      const { gitVersion } = await connection.json<{ gitVersion: string }>(request);
      return { version: gitVersion };
    },
    async listOwnedNamespaces(call) {
      return (await listAll<LiveObject>("Namespace", ours, call)).map(toOwnedNamespace);
    },
    async [Symbol.asyncDispose]() {
      await watched?.[Symbol.asyncDispose]();
      await health?.[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

function unknownReason(error: unknown): "CLUSTER_UNREACHABLE" | "CLUSTER_DENIED" | null {
  if (error instanceof ClusterUnreachable) return "CLUSTER_UNREACHABLE";
  return error instanceof ClusterDenied ? "CLUSTER_DENIED" : null;
}

function toOwnedNamespace({ metadata }: LiveObject): OwnedNamespace {
  return {
    name: metadata.name,
    houseId: metadata.labels?.[labelKeys.house] ?? null,
    instanceId: metadata.labels?.[labelKeys.instance] ?? null,
    organizationId: metadata.labels?.[labelKeys.organization] ?? null,
    subscriptionId: metadata.labels?.[labelKeys.subscription] ?? null,
    createdAt: metadata.creationTimestamp ?? null,
    isDeleting: metadata.deletionTimestamp !== undefined,
  };
}
