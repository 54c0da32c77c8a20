import { offerings, plans, prices } from "@sewa/db/schema";
import { and, asc, eq, gt, inArray, isNull } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";

/** A plan with what only operators may see of its prices: cost and mark-up. */
export interface PlanPrices {
  readonly id: string;
  readonly slug: string;
  readonly offeringSlug: string;
  readonly status: "published" | "hidden";
  /** Current ones, of each currency. */
  readonly prices: readonly (typeof prices.$inferSelect)[];
}

/** All plans, hidden ones too, in the order in which they were added. For operators. */
export async function listPlanPrices(ctx: CoreContext, input: PageInput): Promise<Page<PlanPrices>> {
  authorize(ctx.actor, "admin.catalog.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select({ id: plans.id, slug: plans.slug, offeringSlug: offerings.slug, status: plans.status })
      .from(plans)
      .innerJoin(offerings, eq(offerings.id, plans.offeringId))
      .where(cursor === null ? undefined : gt(plans.id, cursor))
      .orderBy(asc(plans.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, ({ id }) => [id]);
    const ids = page.items.map(({ id }) => id);
    const current = await tx.sql
      .select()
      .from(prices)
      .where(and(inArray(prices.planId, ids), isNull(prices.supersededAt)))
      .orderBy(asc(prices.currency));
    const items = page.items.map((plan) => ({ ...plan, prices: current.filter(({ planId }) => planId === plan.id) }));
    return { ...page, items };
  });
}
