import { type Blueprint, type CatalogPrice, listMeters } from "@sewa/blueprint";
import { usagePrices } from "@sewa/db/schema";
import { asc, inArray } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { fromMajor, toMajor } from "../money.ts";
import { formatQuantity, houseMeters, isHouseMeter, unitQuantityOf } from "./meters.ts";

/** What use costs beside the price of a period, in base units of the meter. */
export type UsagePrice = Pick<
  typeof usagePrices.$inferSelect,
  "meter" | "label" | "unit" | "unitAmountMinor" | "perQuantity" | "includedQuantity"
>;

type WantedUsage = CatalogPrice["usage"][number];

/** In the order of their meters. Throws INVALID_INPUT for a meter that there is not, and for what cannot be said exactly. */
export function toUsagePrices({ usage, currency }: CatalogPrice, blueprint: Blueprint): readonly UsagePrice[] {
  return usage
    .map((wanted) => toUsagePrice(wanted, currency, blueprint))
    .toSorted((a, b) => (a.meter < b.meter ? -1 : 1));
}

function toUsagePrice(
  { meter, amount, per, included }: WantedUsage,
  currency: string,
  blueprint: Blueprint,
): UsagePrice {
  return {
    meter,
    ...describeMeter(meter, blueprint),
    unitAmountMinor: fromMajor(amount, currency).amountMinor,
    perQuantity: toBaseUnits(per, meter),
    includedQuantity: toBaseUnits(included, meter),
  };
}

function describeMeter(meter: string, blueprint: Blueprint): Pick<UsagePrice, "label" | "unit"> {
  const declared = listMeters(blueprint).find(({ name }) => name === meter);
  if (isHouseMeter(meter)) {
    if (declared !== undefined) throw refuse(`The blueprint declares ${meter} too, which the house measures itself.`);
    const { label, unit } = houseMeters[meter];
    return { label, unit };
  }
  if (declared === undefined) throw refuse(`There is no meter ${meter}: the blueprint does not declare it.`);
  return { label: declared.label, unit: `${declared.unit ?? meter} hours` };
}

const fractionDigits = 4;

/** A decimal of the meter's unit. Nothing is rounded: what has no whole number of base units is refused. */
function toBaseUnits(text: string, meter: string): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  const scaled = BigInt(whole + fraction.padEnd(fractionDigits, "0")) * unitQuantityOf(meter);
  const scale = 10n ** BigInt(fractionDigits);
  if (scaled % scale !== 0n) throw refuse(`${text} of ${meter} is no whole number of what is measured.`);
  return scaled / scale;
}

function refuse(message: string): DomainError {
  return new DomainError("INVALID_INPUT", message);
}

/** `cpu 500 per 1 core-hours, 100 included`: for the list of changes. */
export function describeUsagePrice(price: UsagePrice, currency: string): string {
  const { meter, unit, unitAmountMinor: amountMinor, perQuantity, includedQuantity } = price;
  const rate = `${meter} ${toMajor({ amountMinor, currency })} per ${formatQuantity(perQuantity, meter)} ${unit}`;
  return includedQuantity === 0n ? rate : `${rate}, ${formatQuantity(includedQuantity, meter)} included`;
}

/** Of any prices, superseded ones too; in the order of their meters. */
export async function listUsagePrices(
  reader: Pick<Tx, "sql">,
  priceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly UsagePrice[]>> {
  if (priceIds.length === 0) return new Map();
  const rows = await reader.sql
    .select()
    .from(usagePrices)
    .where(inArray(usagePrices.priceId, [...new Set(priceIds)]))
    .orderBy(asc(usagePrices.meter));
  return Map.groupBy(rows, ({ priceId }) => priceId);
}
