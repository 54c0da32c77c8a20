import type { CatalogPlan } from "@sewa/blueprint";
import type { prices } from "@sewa/db/schema";
import { assert, type FieldIssue } from "../errors.ts";
import { divideRounded, fromMajor, toMajor } from "../money.ts";

type CatalogPrice = CatalogPlan["prices"][number];

/** All of a price that is never edited: another one of these is another price. */
export type PriceTerms = Pick<
  typeof prices.$inferSelect,
  "currency" | "amountMinor" | "setupMinor" | "trialPeriods" | "trialAmountMinor" | "costMinor" | "markupBasisPoints"
>;

export function toPriceTerms(price: Omit<CatalogPrice, "usage">): PriceTerms {
  const { currency, amount, cost, markup, setup = "0", trial } = price;
  const minorOf = (text: string): bigint => fromMajor(text, currency).amountMinor;
  const costMinor = cost === undefined ? null : minorOf(cost);
  const markupBasisPoints = markup === undefined ? null : toBasisPoints(markup);
  return {
    currency,
    amountMinor: amount === undefined ? markUp(costMinor, markupBasisPoints) : minorOf(amount),
    setupMinor: minorOf(setup),
    trialPeriods: trial?.periods ?? null,
    trialAmountMinor: trial === undefined ? null : minorOf(trial.amount),
    costMinor,
    markupBasisPoints,
  };
}

/** A trial that is dearer than what comes after it is none. */
export function checkPrice(price: Omit<CatalogPrice, "usage">, path: string): readonly FieldIssue[] {
  const { trialAmountMinor, amountMinor } = toPriceTerms(price);
  if (trialAmountMinor === null || trialAmountMinor <= amountMinor) return [];
  return [{ path, message: "A period of the trial costs more than one after it." }];
}

/** For operators, who read what would change. */
export function describePrice(terms: PriceTerms): string {
  const { currency, amountMinor, setupMinor, trialPeriods, trialAmountMinor, costMinor, markupBasisPoints } = terms;
  const major = (minor: bigint): string => toMajor({ amountMinor: minor, currency });
  return [
    `price ${currency} ${major(amountMinor)}`,
    ...(costMinor === null || markupBasisPoints === null
      ? []
      : [`cost ${major(costMinor)} and ${markupBasisPoints / 100} %, margin ${major(amountMinor - costMinor)}`]),
    ...(setupMinor === 0n ? [] : [`setup ${major(setupMinor)}`]),
    ...(trialPeriods === null || trialAmountMinor === null
      ? []
      : [`trial of ${trialPeriods} at ${major(trialAmountMinor)}`]),
  ].join(", ");
}

const basisPointsOfAll = 10_000n;

/** Rounded once, half up, to what the currency can express. */
function markUp(costMinor: bigint | null, markupBasisPoints: number | null): bigint {
  assert(costMinor !== null && markupBasisPoints !== null, "a price is an amount, or cost and mark-up");
  return divideRounded(costMinor * (basisPointsOfAll + BigInt(markupBasisPoints)), basisPointsOfAll);
}

/** `12.5` is 1250. */
function toBasisPoints(percent: string): number {
  const [whole = "0", hundredths = ""] = percent.split(".");
  return Number(whole) * 100 + Number(hundredths.padEnd(2, "0"));
}
