export type { Effect } from "./cluster/apply.ts";
export type { CallOptions, Cluster, OwnedNamespace } from "./cluster/cluster.ts";
export type { ClusterInventory } from "./cluster/inventory.ts";
export { connectCluster, type ConnectOptions, type Log } from "./cluster/connect.ts";
export type { LogLine } from "./cluster/log-lines.ts";
export type { LogQuery } from "./cluster/logs.ts";
export type { ProbedApp } from "./cluster/probe.ts";
export type { WatchStats, WatchTimings } from "./cluster/watch-kind.ts";
export type { Watcher } from "./cluster/watcher.ts";
export {
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
export { reconcileInstance, type ReconcileDeps, type ReconcileOutcome } from "./reconcile.ts";
export type { ClusterSettings, ContainerResources, InstanceSpec } from "./render/types.ts";
export type { InstanceLease, InstanceStore, LoadedInstance } from "./store.ts";
