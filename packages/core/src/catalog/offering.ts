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
  /** Current price in the currency of the house; null when it has none, and then nobody can order it. */
  readonly price: { readonly id: string; readonly money: Money; readonly usage: readonly UsagePrice[] } | null;
}
