import { type Blueprint, type CatalogAddon, type CatalogPlan, storesData } from "@sewa/blueprint";
import { addonPrices, addons } from "@sewa/db/schema";
import { and, eq, isNull } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { DomainError, type FieldIssue } from "../errors.ts";
import { fromMajor } from "../money.ts";
import type { CatalogChange } from "./apply-catalog.ts";

/** What the files alone can be refused for. Storage without a volume would be paid for and never be there. */
export function checkAddons(
  { addons: wanted }: CatalogPlan,
  blueprint: Blueprint,
  path: string,
): readonly FieldIssue[] {
  return storesData(blueprint)
    ? []
    : wanted.map(({ slug }) => ({
        path: `${path}/${slug}`,
        message: "The add-on adds storage, and the app stores nothing.",
      }));
}

/** Makes the add-ons of a plan what the files say. One that is no longer there is hidden; who has it keeps it. */
export async function applyAddons(
  tx: Tx,
  plan: { readonly planId: string; readonly subject: string },
  wanted: readonly CatalogAddon[],
  changes: CatalogChange[],
): Promise<void> {
  const known = await tx.sql.select().from(addons).where(eq(addons.planId, plan.planId));
  for (const addon of wanted) {
    const subject = `${plan.subject}/${addon.slug}`;
    const existing = known.find(({ slug }) => slug === addon.slug);
    const addonId = await applyAddon(tx, { planId: plan.planId, subject, existing }, addon, changes);
    for (const { currency, amount } of addon.prices)
      await applyPrice(tx, { addonId, subject }, { currency, amount }, changes);
  }
  for (const { id, slug, status } of known) {
    if (status === "hidden" || wanted.some((addon) => addon.slug === slug)) continue;
    await tx.sql.update(addons).set({ status: "hidden" }).where(eq(addons.id, id));
    changes.push({ action: "hide", subject: `${plan.subject}/${slug}`, detail: "no longer in the catalog" });
  }
}

async function applyAddon(
  tx: Tx,
  plan: {
    readonly planId: string;
    readonly subject: string;
    readonly existing: typeof addons.$inferSelect | undefined;
  },
  { slug, name, adds, max }: CatalogAddon,
  changes: CatalogChange[],
): Promise<string> {
  const { planId, subject, existing } = plan;
  const facts = { name, maxCount: max, status: "published" as const };
  if (existing === undefined) {
    const id = tx.ctx.ids.next();
    await tx.sql.insert(addons).values({ id, planId, slug, addsStorageBytes: adds.storageBytes, ...facts });
    changes.push({
      action: "add",
      subject,
      detail: `add-on ${name}, ${adds.storageBytes / 2 ** 20} MiB, up to ${max}`,
    });
    return id;
  }
  if (existing.addsStorageBytes !== adds.storageBytes) {
    const message = "What an add-on adds stays what it is, for those who have it. Give the other one another slug.";
    throw new DomainError("BLUEPRINT_INVALID", "The catalog cannot be published.", {
      issues: [{ path: subject, message }],
    });
  }
  const changed = (Object.keys(facts) as (keyof typeof facts)[]).filter((key) => existing[key] !== facts[key]);
  if (changed.length > 0) {
    await tx.sql.update(addons).set(facts).where(eq(addons.id, existing.id));
    changes.push({ action: "change", subject, detail: changed.join(", ") });
  }
  return existing.id;
}

async function applyPrice(
  tx: Tx,
  { addonId, subject }: { readonly addonId: string; readonly subject: string },
  { currency, amount }: CatalogAddon["prices"][number],
  changes: CatalogChange[],
): Promise<void> {
  const { amountMinor } = fromMajor(amount, currency);
  const current = and(
    eq(addonPrices.addonId, addonId),
    eq(addonPrices.currency, currency),
    isNull(addonPrices.supersededAt),
  );
  const [existing] = await tx.sql.select().from(addonPrices).where(current);
  if (existing?.amountMinor === amountMinor) return;
  if (existing !== undefined) await tx.sql.update(addonPrices).set({ supersededAt: tx.now }).where(current);
  await tx.sql.insert(addonPrices).values({ id: tx.ctx.ids.next(), addonId, currency, amountMinor });
  const action = existing === undefined ? "add" : "change";
  changes.push({ action, subject, detail: `price ${currency} ${amount} each` });
}
