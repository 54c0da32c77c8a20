import type { MoneyDto } from "../dto.ts";

export interface PlanLimitsDto {
  /** Thousandths of a CPU. */
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
  readonly storageBytes: number;
}

export interface PlanDto {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly limits: PlanLimitsDto;
  /** ISO 8601 duration of a billing period. */
  readonly interval: "P30D" | "P1M";
  /** Days for which the data is kept after the subscription has expired. */
  readonly gracePeriodDays: number;
  /** Days for which the app still runs after a period that was not paid. */
  readonly pastDueDays: number;
  /** Null: cannot be ordered in the currency of the house. */
  readonly price: MoneyDto | null;
  /** Once, with the first invoice. */
  readonly setup: MoneyDto | null;
  /** What the first periods cost instead of the price; once per customer and offering. */
  readonly trial: TrialDto | null;
  /** What use costs beside it. */
  readonly usagePrices: readonly UsagePriceDto[];
  /** What can be had beside it, each of them several times. */
  readonly addons: readonly AddonDto[];
}

export interface AddonDto {
  readonly slug: string;
  readonly name: string;
  /** What each one adds to the storage of the plan. */
  readonly addsStorageBytes: number;
  /** So many for one app. */
  readonly maxCount: number;
  /** Of each one, per period. */
  readonly price: MoneyDto;
}

/** How many of each add-on, by its slug. */
export type AddonCountsDto = Readonly<Record<string, number>>;

export interface TrialDto {
  readonly periods: number;
  readonly price: MoneyDto;
}

/** (quantity - includedQuantity) x unitAmount / perQuantity for each period, all in base units of the meter. */
export interface UsagePriceDto {
  /** `cpu`, `memory`, `storage`, `running`, or one that the app declares itself. */
  readonly meter: string;
  /** For people: what is measured, and what it is counted in. */
  readonly label: string;
  readonly unit: string;
  /** Base units in one of that unit. */
  readonly unitQuantity: bigint;
  readonly unitAmount: MoneyDto;
  readonly perQuantity: bigint;
  readonly includedQuantity: bigint;
}

export interface OfferingDto {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly summary: string;
  readonly plans: readonly PlanDto[];
}

export interface OfferingPageDto {
  readonly items: readonly OfferingDto[];
  readonly nextCursor: string | null;
}

export type ParameterValueDto = string | number | boolean;

/** What a form needs to know of one parameter. */
export interface ParameterDto {
  readonly name: string;
  readonly label: string;
  readonly type: "string" | "number" | "integer" | "boolean";
  readonly required: boolean;
  /** False: to be left out of forms. */
  readonly display: boolean;
  readonly immutable: boolean;
  readonly hint: string | null;
  readonly placeholder: string | null;
  readonly section: string | null;
  readonly allowedValues: readonly { readonly value: ParameterValueDto; readonly label: string }[] | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly default: ParameterValueDto | null;
}

export interface PlanDetailDto extends PlanDto {
  /** In the order in which a form shows them. */
  readonly parameters: readonly ParameterDto[];
}

export interface OfferingDetailDto {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly summary: string;
  readonly plans: readonly PlanDetailDto[];
}

export interface OfferingInput {
  readonly slug: string;
}
