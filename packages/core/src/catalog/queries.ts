import { blueprintVersions, offerings, plans, prices } from "@sewa/db/schema";
import { type Blueprint, parseBlueprint, type PlanLimits } from "@sewa/blueprint";
import { and, asc, eq, gt, inArray, isNull, sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { listAddons } from "./addons.ts";
import type { Addon, Offering, Plan, PlanPrice, PriceIntro } from "./offering.ts";
import { listUsagePrices, type UsagePrice } from "./usage-price.ts";

/** Offerings that can be ordered, in the order in which they were added. */
export async function listOfferings(ctx: CoreContext, input: PageInput): Promise<Page<Offering>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(offerings)
      .where(and(isOfferingShown(), cursor === null ? undefined : gt(offerings.id, cursor)))
      .orderBy(asc(offerings.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return { ...page, items: await withPlans(tx, page.items) };
  });
}

export async function getOffering(ctx: CoreContext, slug: string): Promise<Offering> {
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(offerings)
      .where(and(eq(offerings.slug, slug), isOfferingShown()));
    const [offering] = await withPlans(tx, rows);
    if (offering === undefined) throw notFound("offering");
    return offering;
  });
}

/** A plan that may be ordered now. Throws NOT_FOUND, and PLAN_UNAVAILABLE for what is not offered any more. */
export async function getOrderablePlan(
  tx: Tx,
  planId: string,
): Promise<{ readonly plan: Plan; readonly offering: Offering }> {
  const [row] = await tx.sql
    .select({ offering: offerings, isShown: sql<boolean>`${and(isPlanShown(), isOfferingShown())}` })
    .from(plans)
    .innerJoin(offerings, eq(offerings.id, plans.offeringId))
    .where(eq(plans.id, planId));
  if (row === undefined) throw notFound("plan");
  if (!row.isShown) throw new DomainError("PLAN_UNAVAILABLE", "This plan is not offered any more.");
  const [offering] = await withPlans(tx, [row.offering]);
  const plan = offering?.plans.find(({ id }) => id === planId);
  if (offering === undefined || plan === undefined) throw notFound("plan");
  return { plan, offering };
}

/** What a plan is today, whether it may still be ordered or not. */
export interface PlanTerms {
  readonly offeringId: string;
  /** What a new order of it would get. */
  readonly blueprintVersionId: string;
  readonly limits: PlanLimits;
}

/** Works for hidden plans too, because customers keep what they rent. */
export async function getPlanTerms(tx: Tx, planId: string): Promise<PlanTerms> {
  const [row] = await tx.sql.select().from(plans).where(eq(plans.id, planId));
  assert(row !== undefined, "plans are never deleted");
  const { offeringId, blueprintVersionId } = row;
  return { offeringId, blueprintVersionId, limits: limitsOf(row) };
}

/** One that may have been superseded. */
export async function getPrice(tx: Tx, priceId: string): Promise<PlanPrice> {
  const [row] = await tx.sql.select().from(prices).where(eq(prices.id, priceId));
  assert(row !== undefined, "prices are never deleted");
  return toPlanPrice(row, (await listUsagePrices(tx, [row.id])).get(row.id) ?? []);
}

/** What is different about the first periods at these prices, superseded ones too. */
export async function readIntros(
  reader: Pick<Tx, "sql">,
  priceIds: readonly string[],
): Promise<ReadonlyMap<string, PriceIntro>> {
  if (priceIds.length === 0) return new Map();
  const rows = await reader.sql
    .select()
    .from(prices)
    .where(inArray(prices.id, [...new Set(priceIds)]));
  return new Map(rows.map((row) => [row.id, introOf(row)]));
}

/** Names for people; works for hidden plans too, because customers keep what they rent. */
export async function describePlans(
  tx: Tx,
  planIds: readonly string[],
): Promise<
  ReadonlyMap<
    string,
    {
      readonly planName: string;
      readonly planSlug: string;
      readonly offeringName: string;
      readonly offeringSlug: string;
    }
  >
> {
  if (planIds.length === 0) return new Map();
  const rows = await tx.sql
    .select({
      id: plans.id,
      planName: plans.name,
      planSlug: plans.slug,
      offeringName: offerings.name,
      offeringSlug: offerings.slug,
    })
    .from(plans)
    .innerJoin(offerings, eq(offerings.id, plans.offeringId))
    .where(inArray(plans.id, [...new Set(planIds)]));
  return new Map(rows.map(({ id, ...names }) => [id, names]));
}

const parsed = new Map<string, Blueprint>();
const maxParsed = 200;

/** Versions never change, so what was parsed once is kept. */
export async function loadBlueprint(tx: Pick<Tx, "sql">, blueprintVersionId: string): Promise<Blueprint> {
  const known = parsed.get(blueprintVersionId);
  if (known !== undefined) return known;
  const [row] = await tx.sql
    .select({ source: blueprintVersions.source })
    .from(blueprintVersions)
    .where(eq(blueprintVersions.id, blueprintVersionId));
  assert(row !== undefined, "a blueprint version is never deleted");
  const blueprint = parseBlueprint(row.source);
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(blueprintVersionId, blueprint);
  return blueprint;
}

/** In the files of the catalog, and hidden by no operator. */
const isOfferingShown = () => and(eq(offerings.status, "published"), isNull(offerings.hiddenAt));
const isPlanShown = () => and(eq(plans.status, "published"), isNull(plans.hiddenAt));

async function withPlans(tx: Tx, rows: readonly (typeof offerings.$inferSelect)[]): Promise<readonly Offering[]> {
  if (rows.length === 0) return [];
  const planRows = await tx.sql
    .select({ plan: plans, price: prices })
    .from(plans)
    .leftJoin(
      prices,
      and(eq(prices.planId, plans.id), eq(prices.currency, tx.ctx.config.currency), isNull(prices.supersededAt)),
    )
    .where(
      and(
        inArray(
          plans.offeringId,
          rows.map(({ id }) => id),
        ),
        isPlanShown(),
      ),
    )
    .orderBy(asc(plans.id));
  const usage = await listUsagePrices(
    tx,
    planRows.flatMap(({ price }) => price?.id ?? []),
  );
  const offered = await listAddons(
    tx,
    planRows.map(({ plan }) => plan.id),
    tx.ctx.config.currency,
  );
  return rows.map(({ id, slug, name, summary, status }) => ({
    id,
    slug,
    name,
    summary,
    status,
    plans: planRows
      .filter(({ plan }) => plan.offeringId === id)
      .map(({ plan, price }) =>
        toPlan(plan, price, { usage: usage.get(price?.id ?? "") ?? [], addons: offered.get(plan.id) ?? [] }),
      ),
  }));
}

function toPlan(
  row: typeof plans.$inferSelect,
  price: typeof prices.$inferSelect | null,
  beside: { readonly usage: readonly UsagePrice[]; readonly addons: readonly Addon[] },
): Plan {
  return {
    id: row.id,
    offeringId: row.offeringId,
    blueprintVersionId: row.blueprintVersionId,
    slug: row.slug,
    name: row.name,
    status: row.status,
    interval: row.interval,
    gracePeriodDays: row.gracePeriodDays,
    pastDueDays: row.pastDueDays,
    nodePool: row.nodePool,
    onePerPerson: row.onePerPerson,
    limits: limitsOf(row),
    price: price === null ? null : toPlanPrice(price, beside.usage),
    addons: beside.addons,
  };
}

/** What it costs the house stays in the house. */
function toPlanPrice(row: typeof prices.$inferSelect, usage: readonly UsagePrice[]): PlanPrice {
  const { id, amountMinor, currency } = row;
  return { id, money: { amountMinor, currency }, intro: introOf(row), usage };
}

function introOf({ setupMinor, trialPeriods: periods, trialAmountMinor }: typeof prices.$inferSelect): PriceIntro {
  const trial = periods === null || trialAmountMinor === null ? null : { periods, amountMinor: trialAmountMinor };
  return { setupMinor, trial };
}

function limitsOf(row: typeof plans.$inferSelect): PlanLimits {
  const { cpuRequestMillis, cpuLimitMillis, memoryRequestBytes, memoryLimitBytes, storageBytes } = row;
  return { cpuRequestMillis, cpuLimitMillis, memoryRequestBytes, memoryLimitBytes, storageBytes };
}
