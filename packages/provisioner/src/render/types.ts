import type { PlanLimits, ResolvedApp } from "@sewa/blueprint";

/** Everything that rendering needs. Pure data: no clock, no cluster, no database. */
export interface InstanceSpec {
  /** uuids. The house is the installation that owns it: several may share a cluster. */
  readonly houseId: string;
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
  /** The instance's own address, such as `kuma-a1b2c3.apps.example.com`. */
  readonly host: string;
  readonly phase: "running" | "stopped" | "absent";
  /** Generation of the desired state; observations are recorded against it. */
  readonly generation: number;
  /** RFC 3339; another value than before replaces the pods once. */
  readonly restartRequestedAt: string | null;
  readonly app: ResolvedApp;
  readonly limits: PlanLimits;
  /** Pool whose machines it may run on; absent or `default` says nothing, because machines without a label are in that one. */
  readonly nodePool?: string;
  /** Generated values by declared name. They leave this object only into the instance's Secret. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The address opens only when true, or when the app has no claim. */
  readonly ownerClaimed: boolean;
  /** Of the request that the present state goes back to; a label of the namespace and the workloads. */
  readonly requestId?: string | null;
}

/** Requests and limits of one container. */
export interface ContainerResources {
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
}

/** What differs between one operator's cluster and another's. */
export interface ClusterSettings {
  readonly ingressClassName: string;
  /** Labels of the namespace in which the ingress controller runs; only from there may traffic come in. */
  readonly ingressNamespaceLabels: Readonly<Record<string, string>>;
  /** Null takes the cluster's default class. */
  readonly storageClassName: string | null;
  /** CIDRs an app may not reach. Defaults to every range that is not the public internet. */
  readonly privateRanges?: readonly string[];
  /** The API server's public addresses, when it has any; private ones are closed already. */
  readonly apiServerCidrs?: readonly string[];
  /** `default`: the controller's own (wildcard) certificate. Null or absent: plain HTTP. */
  readonly ingressTls?: { readonly secretName: string } | "default" | null;
  /** What the claim job may use beside the plan. */
  readonly jobResources?: ContainerResources;
  /** Labels of the machines that may run apps, such as the pool. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

export const manifestKinds = [
  "Namespace",
  "ResourceQuota",
  "LimitRange",
  "NetworkPolicy",
  "ServiceAccount",
  "Secret",
  "ConfigMap",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "Service",
  "Job",
  "Ingress",
] as const;
export type ManifestKind = (typeof manifestKinds)[number];

/** An object as it goes over the wire; the tests hold every one against the schema of a real server. */
export interface KubeManifest {
  readonly apiVersion: string;
  readonly kind: ManifestKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}
