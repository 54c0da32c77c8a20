/** A machine of the cluster, as the cluster reports it. */
export interface ObservedNode {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  /** Value of the label `sewa.dev/pool`, or `default`. */
  readonly pool: string;
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly allocatableCpuMillis: number;
  readonly allocatableMemoryBytes: number;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string | null }[];
}
