import { blueprintVersions, offerings, plans, prices } from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { authorize } from "../permissions.ts";
import { listObstacles } from "./publishing.ts";

export interface ShelfInput {
  readonly offeringSlug: string;
  /** One plan of it; the offering with all its plans where it is null. */
  readonly planSlug: string | null;
  /** For the audit. */
  readonly reason: string;
}

/**
 * Takes an offering or a plan off the shelf, whatever the files of the catalog say, until `publishOffering`. Who rents it keeps it and
 * renews it; nobody orders it or changes to it. Nothing happens to what is hidden. Throws NOT_FOUND.
 */
export async function hideOffering(ctx: CoreContext, input: ShelfInput): Promise<void> {
  authorize(ctx.actor, "admin.catalog.write");
  await onShelf(ctx, async (tx) => {
    const item = await getItem(tx, input);
    if (item.hiddenAt === null) await setHiddenAt(tx, item, input.reason, tx.now);
  });
}

/**
 * Puts it back. Throws NOT_FOUND, PLAN_UNAVAILABLE for what the files no longer hold, NO_PRICE, and BLUEPRINT_INVALID with each reason for
 * which it may not be sold, such as an agreement with its vendor that is missing.
 */
export async function publishOffering(ctx: CoreContext, input: ShelfInput): Promise<void> {
  authorize(ctx.actor, "admin.catalog.write");
  await onShelf(ctx, async (tx) => {
    const item = await getItem(tx, input);
    if (item.status === "hidden") {
      const message = "It is no longer in the files of the catalog. Put it in and apply them.";
      throw new DomainError("PLAN_UNAVAILABLE", message);
    }
    for (const plan of await listPlans(tx, item)) refuseUnready(tx, plan);
    if (item.hiddenAt !== null) await setHiddenAt(tx, item, input.reason, null);
  });
}

interface Item {
  readonly table: typeof offerings | typeof plans;
  readonly id: string;
  readonly name: string;
  readonly status: "published" | "hidden";
  readonly hiddenAt: Date | null;
}

/** One after the other, and none beside an apply. */
async function onShelf(ctx: CoreContext, work: (tx: Tx) => Promise<void>): Promise<void> {
  await ctx.transaction(async (tx) => {
    await tx.sql.execute(sql`select pg_advisory_xact_lock(hashtext('sewa:catalog'))`);
    await work(tx);
  });
}

async function getItem(tx: Tx, { offeringSlug, planSlug }: ShelfInput): Promise<Item> {
  const [offering] = await tx.sql.select().from(offerings).where(eq(offerings.slug, offeringSlug));
  if (offering === undefined) throw notFound("offering");
  if (planSlug === null) {
    const { id, status, hiddenAt } = offering;
    return { table: offerings, id, name: offeringSlug, status, hiddenAt };
  }
  const [plan] = await tx.sql
    .select()
    .from(plans)
    .where(and(eq(plans.offeringId, offering.id), eq(plans.slug, planSlug)));
  if (plan === undefined) throw notFound("plan");
  const { id, status, hiddenAt } = plan;
  return { table: plans, id, name: `${offeringSlug}/${planSlug}`, status, hiddenAt };
}

interface ListedPlan {
  readonly priceId: string | null;
  readonly source: string;
  readonly agreement: string | null;
}

/** Those that are in the files: of the offering all, else the one. */
async function listPlans(tx: Tx, { table, id }: Item): Promise<readonly ListedPlan[]> {
  return tx.sql
    .select({ priceId: prices.id, source: blueprintVersions.source, agreement: offerings.agreement })
    .from(plans)
    .innerJoin(offerings, eq(offerings.id, plans.offeringId))
    .innerJoin(blueprintVersions, eq(blueprintVersions.id, plans.blueprintVersionId))
    .leftJoin(
      prices,
      and(eq(prices.planId, plans.id), eq(prices.currency, tx.ctx.config.currency), isNull(prices.supersededAt)),
    )
    .where(and(eq(plans.status, "published"), eq(table === plans ? plans.id : plans.offeringId, id)));
}

function refuseUnready(tx: Tx, { priceId, source, agreement }: ListedPlan): void {
  const issues = listObstacles(source, agreement);
  if (issues.length > 0) throw new DomainError("BLUEPRINT_INVALID", "It may not be sold as it is.", { issues });
  if (priceId === null) throw new DomainError("NO_PRICE", `There is no price in ${tx.ctx.config.currency}.`);
}

async function setHiddenAt(tx: Tx, item: Item, reason: string, hiddenAt: Date | null): Promise<void> {
  const { table, id, name } = item;
  await tx.sql.update(table).set({ hiddenAt }).where(eq(table.id, id));
  writeOperatorAudit(tx, {
    action: hiddenAt === null ? "offering.published" : "offering.hidden",
    subject: { type: table === plans ? "plan" : "offering", id: name },
    before: { hiddenAt: item.hiddenAt },
    after: { hiddenAt },
    reason,
  });
}
