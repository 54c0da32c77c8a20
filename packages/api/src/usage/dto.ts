export type MetricRangeDto = "24h" | "7d" | "30d";

/** What was measured from `start` on, for `stepSeconds`. Null: nothing was measured. */
export interface MetricPointDto {
  readonly start: Date;
  /** Thousandths of a core. */
  readonly cpu: { readonly averageMillis: number; readonly maxMillis: number } | null;
  readonly memory: { readonly averageBytes: number; readonly maxBytes: number } | null;
  /** Room on disks that is set apart for the app. */
  readonly storageBytes: number | null;
}

/** Real time, also where the organization lives on a test clock. */
export interface InstanceMetricsDto {
  readonly range: MetricRangeDto;
  readonly stepSeconds: number;
  readonly from: Date;
  readonly to: Date;
  /** What the plan allows at most. */
  readonly limits: { readonly cpuMillis: number; readonly memoryBytes: number; readonly storageBytes: number };
  /** Oldest first, one for each step; the last step is the one that runs. */
  readonly points: readonly MetricPointDto[];
}

export interface InstanceMetricsInput {
  readonly instanceId: string;
  /** `24h` unless told: five-minute steps. `7d` has steps of an hour, `30d` of four. */
  readonly range?: MetricRangeDto | undefined;
}
