/**
 * The fields of live objects that we read, as the server sends them. client-node's own models describe objects after
 * its deserialiser (dates, renamed fields), which neither our requests nor any watch goes through.
 */
export interface LiveObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface LiveCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string | null;
}

export interface LiveNamespace extends LiveObject {
  readonly status?: { readonly phase?: string; readonly conditions?: readonly LiveCondition[] };
}

/** Deployment or StatefulSet. Counters that are zero may be absent. */
export interface LiveWorkload extends LiveObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly conditions?: readonly LiveCondition[];
  };
}

interface Terminated {
  readonly exitCode?: number;
  readonly reason?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly image?: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: { readonly startedAt?: string | null };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
}

export interface LivePod extends LiveObject {
  readonly spec?: { readonly nodeName?: string; readonly restartPolicy?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly startTime?: string;
    readonly conditions?: readonly LiveCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface LiveJob extends LiveObject {
  readonly status?: { readonly active?: number; readonly conditions?: readonly LiveCondition[] };
}

export interface LiveVolumeClaim extends LiveObject {
  readonly status?: {
    readonly phase?: string;
    readonly capacity?: { readonly storage?: string };
    readonly conditions?: readonly LiveCondition[];
    /** While it grows, such as `NodeResizePending`, or `ControllerResizeInfeasible`. */
    readonly allocatedResourceStatuses?: { readonly storage?: string };
  };
}

/** What metrics.k8s.io says of a pod: processor over the window that ends at `timestamp`, memory at its end. */
export interface LivePodMetrics {
  readonly metadata: LiveObject["metadata"];
  readonly timestamp: string;
  readonly containers: readonly {
    readonly name: string;
    readonly usage: { readonly cpu: string; readonly memory: string };
  }[];
}

export interface LiveNode extends LiveObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly LiveCondition[];
  };
}

export interface LiveList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}
