/**
 * A blueprint with every parameter and expression filled in: what the provisioner renders, and nothing else.
 * Pure data. Secrets appear by name only; their values are generated and kept elsewhere.
 */
export interface ResolvedApp {
  /** Long-running parts of the app; the first one listed is not special, `exposed` says which one the address leads to. */
  readonly workloads: readonly ResolvedWorkload[];
  readonly exposed: { readonly workload: string; readonly port: string };
  /** Claims the owner account before the address opens; null when the app needs no claim. */
  readonly claim: ResolvedJob | null;
  readonly healthChecks: readonly ResolvedHealthCheck[];
  readonly secrets: readonly SecretDeclaration[];
  /** Seconds after which a first provisioning that is not ready has failed for good. */
  readonly provisionDeadlineSeconds: number;
  /** Shown to the customer once the app is ready. */
  readonly instructions: string | null;
}

export interface ResolvedContainer {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly ResolvedEnv[];
}

export interface ResolvedWorkload extends ResolvedContainer {
  /** DNS label of at most 20 characters, unique in the app. Also the name of its Service. */
  readonly id: string;
  readonly kind: "Deployment" | "StatefulSet";
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly volumes: readonly ResolvedVolume[];
  /** Paths that must be writable and may be lost (emptyDir). */
  readonly scratchPaths: readonly string[];
  /** Read-only files, mounted from the ConfigMap. `path` is absolute. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly probes: {
    readonly startup?: ResolvedProbe;
    readonly readiness?: ResolvedProbe;
    readonly liveness?: ResolvedProbe;
  };
  /** Fractions of the plan's CPU and memory, above 0 and at most 1; all workloads together at most 1. */
  readonly share: { readonly cpu: number; readonly memory: number };
  readonly security: {
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly fsGroup: number;
    readonly readOnlyRootFilesystem: boolean;
  };
}

export interface ResolvedVolume {
  /** DNS label of at most 20 characters, unique in the app. */
  readonly name: string;
  readonly mountPath: string;
  /** Fraction of the plan's storage, above 0 and at most 1; all volumes together at most 1. */
  readonly share: number;
}

/** Runs to completion once, in the instance's own namespace. */
export interface ResolvedJob extends ResolvedContainer {
  readonly timeoutSeconds: number;
  readonly security: ResolvedWorkload["security"];
}

/** A literal value, or the name of a declared secret whose value stands in the instance's Secret. */
export type ResolvedEnv =
  { readonly name: string; readonly value: string } | { readonly name: string; readonly secret: string };

export type ResolvedProbe = {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
} & (
  | {
      readonly type: "http";
      readonly path: string;
      readonly port: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly type: "tcp"; readonly port: string }
  | { readonly type: "exec"; readonly command: readonly string[] }
);

export interface ResolvedHealthCheck {
  readonly name: string;
  readonly type: "http";
  /** Absolute URL under the instance's own address. */
  readonly url: string;
}

export interface SecretDeclaration {
  /** Lower camel case; the key in the instance's Secret. */
  readonly name: string;
  readonly label: string;
  /** `random`: `length` characters of `charset`. `literal`: a fixed, not secret value, such as the admin's user name. */
  readonly generate:
    | { readonly type: "random"; readonly length: number; readonly charset: "alphanumeric" | "hex" | "password" }
    | { readonly type: "literal"; readonly value: string };
  /** `owner`: shown by revealCredentials. `never`: internal to the app. */
  readonly reveal: "owner" | "never";
}

/** What a plan grants: the sum over all of an instance's containers. */
export interface PlanLimits {
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
  readonly storageBytes: number;
}
