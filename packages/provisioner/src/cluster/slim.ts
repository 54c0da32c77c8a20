import type { ObservedNode } from "@sewa/core";
import {
  toIngressFact,
  toJobFact,
  toNamespaceFact,
  toVolumeFact,
  toWorkloadFact,
  type IngressFact,
  type JobFact,
  type NamespaceFact,
  type VolumeFact,
  type WorkloadFact,
} from "../observe/facts.ts";
import { toObservedNode } from "../observe/nodes.ts";
import { toPodFact, type PodFact } from "../observe/pods.ts";
import type { LiveObject } from "../observe/wire.ts";
import { labelKeys } from "../render/names.ts";
import { liveHash } from "./live-hash.ts";
import { objectPath, type WatchedKind } from "./resources.ts";

interface Facts {
  readonly Namespace: NamespaceFact;
  readonly Deployment: WorkloadFact;
  readonly StatefulSet: WorkloadFact;
  readonly Pod: PodFact;
  readonly Job: JobFact;
  readonly PersistentVolumeClaim: VolumeFact;
  readonly Ingress: IngressFact;
  readonly Node: ObservedNode;
}

/** What a kind is reduced to; kinds that only ever repeat what we asked for have their hash and no fact. */
export type FactOf<K extends WatchedKind> = K extends keyof Facts ? Facts[K] : null;

/** A live object as we keep it: a few hundred bytes instead of several thousand. */
export interface Slim<K extends WatchedKind = WatchedKind> {
  readonly path: string;
  readonly name: string;
  /** Empty for nodes; a namespace is kept under its own name. */
  readonly namespace: string;
  /** Tells an object from another of the same name that came after it. */
  readonly uid: string;
  readonly instanceId: string | null;
  /** See `liveHash`; empty for pods and nodes, which we do not apply. */
  readonly hash: string;
  readonly fact: FactOf<K>;
}

type Projections = { readonly [K in WatchedKind]: (live: LiveObject) => FactOf<K> };

// Each projection reads the fields of its kind from an object that came from that kind's own collection.
const projections: Projections = {
  Namespace: toNamespaceFact,
  Deployment: (live) => toWorkloadFact(live, "Deployment"),
  StatefulSet: (live) => toWorkloadFact(live, "StatefulSet"),
  Pod: toPodFact,
  Job: toJobFact,
  PersistentVolumeClaim: toVolumeFact,
  Ingress: toIngressFact,
  Node: toObservedNode,
  ResourceQuota: () => null,
  LimitRange: () => null,
  NetworkPolicy: () => null,
  ServiceAccount: () => null,
  ConfigMap: () => null,
  Service: () => null,
};

export function toSlim<K extends WatchedKind>(kind: K, live: LiveObject): Slim<K> {
  const { name, namespace, labels, uid = "" } = live.metadata;
  return {
    path: objectPath(kind, name, namespace),
    name,
    namespace: kind === "Namespace" ? name : (namespace ?? ""),
    uid,
    instanceId: labels?.[labelKeys.instance] ?? null,
    hash: kind === "Pod" || kind === "Node" ? "" : liveHash(live),
    fact: projections[kind](live),
  };
}

export function isSameSlim(a: Slim, b: Slim): boolean {
  return a.uid === b.uid && a.hash === b.hash && JSON.stringify(a.fact) === JSON.stringify(b.fact);
}
