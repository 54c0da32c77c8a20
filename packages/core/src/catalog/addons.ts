import { addonPrices, addons } from "@sewa/db/schema";
import { and, asc, eq, inArray, isNull } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { assert, DomainError, type FieldIssue } from "../errors.ts";
import type { Addon } from "./offering.ts";
import type { PricedItem } from "./price-items.ts";

/** How many of each add-on, by its slug. */
export type AddonCounts = Readonly<Record<string, number>>;

/** What can be had beside these plans now, at a current price in this currency, in the order in which it was added. */
export async function listAddons(
  tx: Tx,
  planIds: readonly string[],
  currency: string,
): Promise<ReadonlyMap<string, readonly Addon[]>> {
  if (planIds.length === 0) return new Map();
  const rows = await tx.sql
    .select({ addon: addons, price: addonPrices })
    .from(addons)
    .innerJoin(
      addonPrices,
      and(eq(addonPrices.addonId, addons.id), eq(addonPrices.currency, currency), isNull(addonPrices.supersededAt)),
    )
    .where(and(inArray(addons.planId, [...planIds]), eq(addons.status, "published")))
    .orderBy(asc(addons.id));
  const toAddon = ({ addon, price }: (typeof rows)[number]): Addon => ({
    slug: addon.slug,
    name: addon.name,
    addsStorageBytes: addon.addsStorageBytes,
    maxCount: addon.maxCount,
    price: { id: price.id, money: { amountMinor: price.amountMinor, currency } },
  });
  return new Map(planIds.map((id) => [id, rows.filter(({ addon }) => addon.planId === id).map(toAddon)]));
}

/** Bytes that so many add-ons of a plan add; works for hidden ones too, because customers keep what they rent. */
export async function addonStorageBytes(tx: Tx, planId: string, counts: AddonCounts): Promise<number> {
  const chosen = Object.entries(counts);
  if (chosen.length === 0) return 0;
  const rows = await tx.sql
    .select({ slug: addons.slug, addsStorageBytes: addons.addsStorageBytes })
    .from(addons)
    .where(eq(addons.planId, planId));
  const adds = new Map(rows.map(({ slug, addsStorageBytes }) => [slug, addsStorageBytes]));
  return chosen.reduce((sum, [slug, count]) => {
    const bytes = adds.get(slug);
    assert(bytes !== undefined, "an add-on that somebody has is never deleted");
    return sum + count * bytes;
  }, 0);
}

/** What is held, with what is given over it. INVALID_INPUT names each that is unknown, too many, or fewer than there are. Pure. */
export function mergeAddons(offered: readonly Addon[], held: AddonCounts, given: AddonCounts): AddonCounts {
  const bySlug = new Map(offered.map((addon) => [addon.slug, addon]));
  const heldBySlug = new Map(Object.entries(held));
  const issues = Object.entries(given).flatMap(([slug, count]): readonly FieldIssue[] => {
    const message = refusal(bySlug.get(slug), heldBySlug.get(slug) ?? 0, count);
    return message === null ? [] : [{ path: `addons.${slug}`, message }];
  });
  if (issues.length > 0) throw new DomainError("INVALID_INPUT", "These add-ons cannot be had so.", { issues });
  return { ...held, ...given };
}

function refusal(addon: Addon | undefined, held: number, count: number): string | null {
  // Who has it keeps it, whatever the catalog says by now.
  if (count === held && held > 0) return null;
  if (held > 0 && count < held) return `There can only be more than ${held}: a volume never becomes smaller.`;
  if (addon === undefined) return "There is no such add-on of this plan.";
  return Number.isInteger(count) && count >= 1 && count <= addon.maxCount
    ? null
    : `Choose a whole number from 1 to ${addon.maxCount}.`;
}

/** Those that are held stay at the prices at which they were taken; further ones cost what they cost now. Pure. */
export function priceAddons(
  offered: readonly Addon[],
  counts: AddonCounts,
  held: readonly PricedItem[],
): readonly PricedItem[] {
  return Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([slug, count]) => {
      const kept = held.filter(({ addon }) => addon?.slug === slug);
      const more = count - kept.reduce((sum, { quantity }) => sum + quantity, 0);
      if (more <= 0) return kept;
      const addon = offered.find((known) => known.slug === slug);
      assert(addon !== undefined, "what is taken is offered");
      const { id: priceId, money } = addon.price;
      const same = kept.find((item) => item.addon?.priceId === priceId);
      if (same !== undefined)
        return kept.map((item) => (item === same ? { ...item, quantity: item.quantity + more } : item));
      const unitAmountMinor = money.amountMinor.toString();
      return [
        ...kept,
        { kind: "addon", description: addon.name, quantity: more, unitAmountMinor, addon: { slug, priceId } },
      ];
    });
}
