import type { PlanLimits } from "@sewa/blueprint";
import type { Money } from "../money.ts";
import type { Interval } from "../periods.ts";
import type { UsagePrice } from "./usage-price.ts";

/** An app that we sell. */
export interface Offering {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly summary: string;
  readonly status: "published" | "hidden";
  readonly plans: readonly Plan[];
}

/** A variant of an offering: limits, terms and price. */
export interface Plan {
  readonly id: string;
  readonly offeringId: string;
  readonly blueprintVersionId: string;
  readonly slug: string;
  readonly name: string;
  readonly status: "published" | "hidden";
  readonly limits: PlanLimits;
  readonly interval: Interval;
  readonly gracePeriodDays: number;
  readonly pastDueDays: number;
  readonly nodePool: string;
  /** Nobody has it for two apps of the offering at once. */
  readonly onePerPerson: boolean;
  /** Current price in the currency of the house; null when it has none, and then nobody can order it. */
  readonly price: PlanPrice | null;
  /** What can be had beside it, in the currency of the house. */
  readonly addons: readonly Addon[];
}

/** A step that can be had several times beside a plan. */
export interface Addon {
  readonly slug: string;
  readonly name: string;
  /** Each one, for good. */
  readonly addsStorageBytes: number;
  /** So many for one app. */
  readonly maxCount: number;
  /** Of each one, per period. */
  readonly price: { readonly id: string; readonly money: Money };
}

export interface PlanPrice {
  readonly id: string;
  /** Per period. */
  readonly money: Money;
  readonly intro: PriceIntro;
  /** What use costs beside it. */
  readonly usage: readonly UsagePrice[];
}

/** What is different about the first periods. */
export interface PriceIntro {
  /** Once, with the first invoice. */
  readonly setupMinor: bigint;
  /** So many first periods cost this instead of the price of the plan. */
  readonly trial: { readonly periods: number; readonly amountMinor: bigint } | null;
}
