import { blueprintVersions, offerings, plans, prices, subscriptions } from "@sewa/db/schema";
import { and, asc, count, eq, gt, inArray, isNull, ne } from "drizzle-orm";
import { deriveShelfState, listObstacles, type ShelfState } from "../catalog/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import type { Money } from "../money.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";

/** An app on offer, or that was, as operators see it. */
export interface OfferingEntry {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly state: ShelfState;
  readonly hiddenAt: Date | null;
  /** Where the vendor's agreement is filed. */
  readonly agreement: string | null;
  readonly plans: readonly PlanEntry[];
}

export interface PlanEntry {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** Of itself: the offering may be hidden as a whole. */
  readonly state: ShelfState;
  readonly hiddenAt: Date | null;
  /** Of the blueprint that new orders get. */
  readonly version: number;
  /** Of a period, in the currency of the house. */
  readonly price: Money | null;
  /** That are not cancelled, as ordered or renewed by now. */
  readonly liveSubscriptions: number;
  /** Why it may not be sold by the checks of today, in words. */
  readonly obstacles: readonly string[];
}

/** All offerings, hidden ones too, in the order in which they were added. */
export async function findOfferings(ctx: CoreContext, input: PageInput): Promise<Page<OfferingEntry>> {
  authorize(ctx.actor, "admin.catalog.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(offerings)
      .where(cursor === null ? undefined : gt(offerings.id, cursor))
      .orderBy(asc(offerings.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, ({ id }) => [id]);
    return { ...page, items: await toEntries(tx, page.items) };
  });
}

/** Throws NOT_FOUND. */
export async function getOfferingEntry(ctx: CoreContext, slug: string): Promise<OfferingEntry> {
  authorize(ctx.actor, "admin.catalog.read");
  return ctx.transaction(async (tx) => {
    const [entry] = await toEntries(tx, await tx.sql.select().from(offerings).where(eq(offerings.slug, slug)));
    if (entry === undefined) throw notFound("offering");
    return entry;
  });
}

async function toEntries(tx: Tx, rows: readonly (typeof offerings.$inferSelect)[]): Promise<readonly OfferingEntry[]> {
  const ids = rows.map(({ id }) => id);
  const known = await tx.sql
    .select({
      plan: plans,
      version: blueprintVersions.version,
      source: blueprintVersions.source,
      amountMinor: prices.amountMinor,
    })
    .from(plans)
    .innerJoin(blueprintVersions, eq(blueprintVersions.id, plans.blueprintVersionId))
    .leftJoin(
      prices,
      and(eq(prices.planId, plans.id), eq(prices.currency, tx.ctx.config.currency), isNull(prices.supersededAt)),
    )
    .where(inArray(plans.offeringId, ids))
    .orderBy(asc(plans.id));
  const live = await countLive(
    tx,
    known.map(({ plan }) => plan.id),
  );
  return rows.map(({ id, slug, name, status, hiddenAt, agreement }) => {
    const own = known.filter(({ plan }) => plan.offeringId === id);
    const entries = own.map(({ plan, version, source, amountMinor }) => ({
      id: plan.id,
      slug: plan.slug,
      name: plan.name,
      state: deriveShelfState({ ...plan, isIncomplete: amountMinor === null }),
      hiddenAt: plan.hiddenAt,
      version,
      price: amountMinor === null ? null : { amountMinor, currency: tx.ctx.config.currency },
      liveSubscriptions: live.get(plan.id) ?? 0,
      obstacles: listObstacles(source, agreement).map(({ path, message }) => `${path}: ${message}`),
    }));
    const isIncomplete = entries.every(({ state }) => state === "draft");
    return {
      id,
      slug,
      name,
      state: deriveShelfState({ status, hiddenAt, isIncomplete }),
      hiddenAt,
      agreement,
      plans: entries,
    };
  });
}

async function countLive(tx: Tx, planIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.sql
    .select({ planId: subscriptions.planId, live: count() })
    .from(subscriptions)
    .where(and(inArray(subscriptions.planId, [...planIds]), ne(subscriptions.status, "cancelled")))
    .groupBy(subscriptions.planId);
  return new Map(rows.map(({ planId, live }) => [planId, live]));
}
