/** What a cluster measured of one instance at one moment. */
export interface MeasuredUsage {
  readonly instanceId: string;
  /** The end of what its newest pod was measured over, on the cluster's clock. Null: none of its pods was measured. */
  readonly measuredAt: Date | null;
  /** Its pods by the part of the app that they run; empty while it is stopped. */
  readonly workloads: readonly WorkloadUsage[];
  /** Room on disks that is set apart for it, whether it is stopped or runs. */
  readonly storageBytes: number;
}

export interface WorkloadUsage {
  readonly workload: string;
  /** Thousandths of a core, with their fractions: a sample rounds once. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}
