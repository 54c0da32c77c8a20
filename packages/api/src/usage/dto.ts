import type { MoneyDto } from "../dto.ts";
import type { UsagePriceDto } from "../offerings/dto.ts";

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

/** Of one meter in the current period, in base units. */
export interface MeterUsageDto extends UsagePriceDto {
  readonly quantity: bigint;
  readonly amount: MoneyDto;
  /** At the end of the period, if it goes on as it did on average. */
  readonly projectedQuantity: bigint;
  readonly projectedAmount: MoneyDto;
}

/** As far as it was recorded: the last two hours may be missing, and an hour may still grow for a day. */
export interface CurrentUsageDto {
  readonly subscriptionId: string;
  /** Null before the first period has begun. */
  readonly periodStart: Date | null;
  readonly periodEnd: Date | null;
  readonly meters: readonly MeterUsageDto[];
  readonly total: MoneyDto;
  readonly projectedTotal: MoneyDto;
  /** Since when the app is stopped at its cap. */
  readonly cappedAt: Date | null;
}

export interface UsageDayDto {
  /** On the wall clock of the organization, as `2026-06-01`. */
  readonly day: string;
  readonly meter: string;
  readonly label: string;
  readonly unit: string;
  readonly unitQuantity: bigint;
  readonly quantity: bigint;
}

export interface UsageHistoryDto {
  readonly subscriptionId: string;
  readonly timeZone: string;
  /** First and last day. */
  readonly from: string;
  readonly to: string;
  /** Oldest first; a day on which nothing was recorded is not in it. */
  readonly days: readonly UsageDayDto[];
}

export interface UsageHistoryInput {
  readonly subscriptionId: string;
  /** Days as `2026-06-01`; the last thirty unless told, at most a hundred. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** What use may cost in each period, beside the price of the period itself. */
export interface SpendingLimitsDto {
  readonly subscriptionId: string;
  /** A mail is sent at each. */
  readonly alerts: readonly MoneyDto[];
  /** The app is stopped at it, until it is raised or the next period begins. Null: never. */
  readonly cap: MoneyDto | null;
}

export interface SetLimitsInput {
  readonly subscriptionId: string;
  /** Minor units of the subscription's currency, each above zero; at most five. Left out: none. */
  readonly alertAmounts?: readonly bigint[] | undefined;
  /** Left out or null: no cap. */
  readonly capMinor?: bigint | null | undefined;
}
