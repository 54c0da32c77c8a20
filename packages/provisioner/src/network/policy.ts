/** What of a NetworkPolicy decides about a connection. The shape is Kubernetes' own. */
export interface NetworkPolicy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector: LabelSelector;
    /** Left out: Ingress, and Egress too where the policy has egress rules. */
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly PolicyPort[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly PolicyPort[] }[];
  };
}

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface Peer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PolicyPort {
  /** TCP when left out. */
  readonly protocol?: string;
  /** A number, or the name of a port of the pod that is called. Left out: every port. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export type Labels = Readonly<Record<string, string>>;
export type Protocol = "TCP" | "UDP" | "SCTP";

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly address: string;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: Protocol }[];
}

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

/** One end of a connection: a pod, or anything else by its address (a node, the API server, a host of the internet). */
export type Endpoint = { readonly pod: Pod } | { readonly address: string };

export interface Connection {
  readonly from: Endpoint;
  /** A pod, never the address of a Service: policies judge where a packet arrives, after a Service has chosen the pod. */
  readonly to: Endpoint;
  readonly port: number;
  readonly protocol: Protocol;
}
