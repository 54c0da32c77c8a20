import {
  type Blueprint,
  type BlueprintIssue,
  type CatalogOffering,
  type CatalogPlan,
  type CatalogPrice,
  checkBlueprint,
  parseBlueprint,
  parseCatalog,
  planFits,
} from "@sewa/blueprint";
import { blueprintVersions, offerings, plans, prices, usagePrices } from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { canonicalJson } from "../json.ts";
import type { Interval } from "../periods.ts";
import { authorize } from "../permissions.ts";
import { applyAddons, checkAddons } from "./apply-addons.ts";
import { checkPrice, describePrice, type PriceTerms, toPriceTerms } from "./price-terms.ts";
import { describeUsagePrice, listUsagePrices, toUsagePrices, type UsagePrice } from "./usage-price.ts";

export interface CatalogFiles {
  /** Text of `catalog.yaml`. */
  readonly catalog: string;
  /** Texts of the blueprints by the file names that the catalog uses. */
  readonly blueprints: Readonly<Record<string, string>>;
}

export interface CatalogChange {
  readonly action: "add" | "change" | "hide";
  readonly subject: string;
  readonly detail: string;
}

/**
 * Makes the catalog in the database what the files say, in one transaction: all of it or nothing. Doing it again changes
 * nothing. A blueprint that changed becomes a new version and a price that changed supersedes the old one; whoever rents
 * keeps both. What is no longer in the files is hidden, never deleted, and what an operator hides stays hidden. Throws BLUEPRINT_INVALID with every issue.
 */
export async function applyCatalog(
  ctx: CoreContext,
  files: CatalogFiles,
  options: { readonly dryRun?: boolean } = {},
): Promise<readonly CatalogChange[]> {
  authorize(ctx.actor, "admin.catalog.write");
  const catalog = parseCatalog(files.catalog);
  const blueprints = readBlueprints(catalog.offerings, files);
  const changes: CatalogChange[] = [];
  const dryRun = new Error("dry run");
  try {
    await ctx.transaction(async (tx) => {
      // Two operators at once would number versions twice.
      await tx.sql.execute(sql`select pg_advisory_xact_lock(hashtext('sewa:catalog'))`);
      for (const offering of catalog.offerings) await applyOffering(tx, offering, blueprints, changes);
      await hideMissing(tx, catalog.offerings, changes);
      if (options.dryRun === true) throw dryRun;
      if (changes.length > 0)
        writeOperatorAudit(tx, {
          action: "catalog.applied",
          subject: null,
          // What allows the house to sell an app stands beside what it sells.
          after: {
            changes,
            agreements: catalog.offerings.flatMap(({ slug, agreement }) =>
              agreement === undefined ? [] : [{ slug, agreement }],
            ),
          },
        });
    });
  } catch (error) {
    if (error !== dryRun) throw error;
  }
  return changes;
}

interface ReadBlueprint {
  readonly source: string;
  readonly blueprint: Blueprint;
}

function readBlueprints(list: readonly CatalogOffering[], files: CatalogFiles): ReadonlyMap<string, ReadBlueprint> {
  const read = new Map<string, ReadBlueprint>();
  const problems: { path: string; message: string }[] = [];
  for (const { slug, blueprint: file, plans: offered, agreement } of list) {
    const source = files.blueprints[file];
    if (source === undefined) {
      problems.push({ path: file, message: `The offering ${slug} names this file, which is not there.` });
      continue;
    }
    const blueprint = parseBlueprint(source, { filename: file });
    problems.push(
      ...checkBlueprint(blueprint, "publish", { agreement })
        .filter(isError)
        .map((issue) => toFieldIssue(file, issue)),
    );
    for (const plan of offered) {
      if (!isInterval(plan.interval)) {
        problems.push({ path: `${slug}/${plan.slug}`, message: "The interval of a plan is P30D or P1M." });
      }
      problems.push(...plan.prices.flatMap((price) => checkPrice(price, `${slug}/${plan.slug}`)));
      const misfit = planFits(blueprint, plan.limits);
      if (misfit !== null) problems.push({ path: `${slug}/${plan.slug}`, message: misfit });
      problems.push(...checkAddons(plan, blueprint, `${slug}/${plan.slug}`));
      for (const price of plan.prices) {
        const problem = usageProblem(price, blueprint);
        if (problem !== null) problems.push({ path: `${slug}/${plan.slug}`, message: problem });
      }
    }
    read.set(file, { source, blueprint });
  }
  if (problems.length > 0) {
    throw new DomainError("BLUEPRINT_INVALID", "The catalog cannot be published.", { issues: problems });
  }
  return read;
}

function usageProblem(price: CatalogPrice, blueprint: Blueprint): string | null {
  try {
    toUsagePrices(price, blueprint);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

function isInterval(text: string): text is Interval {
  return text === "P30D" || text === "P1M";
}

function isError(issue: BlueprintIssue): boolean {
  return issue.severity === "error";
}

function toFieldIssue(file: string, issue: BlueprintIssue): { path: string; message: string } {
  return { path: `${file}:${issue.line}:${issue.column} ${issue.path}`, message: `${issue.code}: ${issue.message}` };
}

async function applyOffering(
  tx: Tx,
  wanted: CatalogOffering,
  blueprints: ReadonlyMap<string, ReadBlueprint>,
  changes: CatalogChange[],
): Promise<void> {
  const { slug, name, summary = "" } = wanted;
  const [existing] = await tx.sql.select().from(offerings).where(eq(offerings.slug, slug));
  const offeringId = existing?.id ?? tx.ctx.ids.next();
  const facts = { name, summary, agreement: wanted.agreement ?? null, status: "published" as const };
  if (existing === undefined) {
    await tx.sql.insert(offerings).values({ id: offeringId, slug, ...facts });
    changes.push({ action: "add", subject: slug, detail: `offering ${name}` });
  } else if ((Object.keys(facts) as (keyof typeof facts)[]).some((key) => existing[key] !== facts[key])) {
    await tx.sql.update(offerings).set(facts).where(eq(offerings.id, offeringId));
    changes.push({ action: "change", subject: slug, detail: "name, summary, agreement or visibility" });
  }
  const read = blueprints.get(wanted.blueprint);
  assert(read !== undefined, "every blueprint of the catalog was read");
  const versionId = await ensureVersion(tx, offeringId, slug, read.source, changes);
  const { blueprint } = read;
  for (const plan of wanted.plans) await applyPlan(tx, { offeringId, slug, versionId, blueprint }, plan, changes);
}

async function ensureVersion(
  tx: Tx,
  offeringId: string,
  slug: string,
  source: string,
  changes: CatalogChange[],
): Promise<string> {
  const contentHash = sha256Hex(source);
  const known = await tx.sql
    .select({
      id: blueprintVersions.id,
      version: blueprintVersions.version,
      contentHash: blueprintVersions.contentHash,
    })
    .from(blueprintVersions)
    .where(eq(blueprintVersions.offeringId, offeringId));
  const same = known.find((row) => row.contentHash === contentHash);
  if (same !== undefined) return same.id;
  const version = Math.max(0, ...known.map((row) => row.version)) + 1;
  const id = tx.ctx.ids.next();
  await tx.sql.insert(blueprintVersions).values({ id, offeringId, version, contentHash, source });
  changes.push({ action: "add", subject: slug, detail: `blueprint version ${version}` });
  return id;
}

async function applyPlan(
  tx: Tx,
  offering: {
    readonly offeringId: string;
    readonly slug: string;
    readonly versionId: string;
    readonly blueprint: Blueprint;
  },
  wanted: CatalogPlan,
  changes: CatalogChange[],
): Promise<void> {
  const { offeringId, slug, versionId, blueprint } = offering;
  const subject = `${slug}/${wanted.slug}`;
  const [existing] = await tx.sql
    .select()
    .from(plans)
    .where(and(eq(plans.offeringId, offeringId), eq(plans.slug, wanted.slug)));
  assert(isInterval(wanted.interval), "the intervals were checked");
  const facts = {
    name: wanted.name,
    blueprintVersionId: versionId,
    status: "published" as const,
    ...wanted.limits,
    interval: wanted.interval,
    gracePeriodDays: wanted.gracePeriodDays,
    pastDueDays: wanted.pastDueDays,
    nodePool: wanted.nodePool,
    onePerPerson: wanted.onePerPerson,
  };
  const planId = existing?.id ?? tx.ctx.ids.next();
  if (existing === undefined) {
    await tx.sql.insert(plans).values({ id: planId, offeringId, slug: wanted.slug, ...facts });
    changes.push({ action: "add", subject, detail: `plan ${wanted.name}` });
  } else {
    const changed = (Object.keys(facts) as (keyof typeof facts)[]).filter((key) => existing[key] !== facts[key]);
    if (changed.length > 0) {
      await tx.sql.update(plans).set(facts).where(eq(plans.id, planId));
      changes.push({ action: "change", subject, detail: changed.join(", ") });
    }
  }
  for (const price of wanted.prices) {
    const usage = toUsagePrices(price, blueprint);
    await applyPrice(tx, { planId, subject }, price, usage, changes);
  }
  await applyAddons(tx, { planId, subject }, wanted.addons, changes);
}

async function applyPrice(
  tx: Tx,
  plan: { readonly planId: string; readonly subject: string },
  wanted: CatalogPlan["prices"][number],
  usage: readonly UsagePrice[],
  changes: CatalogChange[],
): Promise<void> {
  const terms = toPriceTerms(wanted);
  const current = and(eq(prices.planId, plan.planId), eq(prices.currency, terms.currency), isNull(prices.supersededAt));
  const [existing] = await tx.sql.select().from(prices).where(current);
  const words = usage.map((price) => describeUsagePrice(price, terms.currency));
  const isSame =
    existing !== undefined && (Object.keys(terms) as (keyof PriceTerms)[]).every((key) => existing[key] === terms[key]);
  if (isSame && isSameUsage((await listUsagePrices(tx, [existing.id])).get(existing.id) ?? [], usage)) return;
  if (existing !== undefined) await tx.sql.update(prices).set({ supersededAt: tx.now }).where(current);
  const id = tx.ctx.ids.next();
  await tx.sql.insert(prices).values({ id, planId: plan.planId, ...terms });
  if (usage.length > 0) await tx.sql.insert(usagePrices).values(usage.map((price) => ({ priceId: id, ...price })));
  changes.push({
    action: existing === undefined ? "add" : "change",
    subject: plan.subject,
    detail: [describePrice(terms), ...words].join("; "),
  });
}

function isSameUsage(known: readonly UsagePrice[], wanted: readonly UsagePrice[]): boolean {
  const facts = (list: readonly UsagePrice[]): string =>
    canonicalJson(
      Object.fromEntries(
        list.map(({ meter, label, unit, unitAmountMinor, perQuantity, includedQuantity }) => [
          meter,
          [label, unit, unitAmountMinor, perQuantity, includedQuantity].map(String),
        ]),
      ),
    );
  return facts(known) === facts(wanted);
}

async function hideMissing(tx: Tx, wanted: readonly CatalogOffering[], changes: CatalogChange[]): Promise<void> {
  const bySlug = new Map(wanted.map((offering) => [offering.slug, new Set(offering.plans.map(({ slug }) => slug))]));
  for (const offering of await tx.sql.select().from(offerings).where(eq(offerings.status, "published"))) {
    if (bySlug.has(offering.slug)) continue;
    await tx.sql.update(offerings).set({ status: "hidden" }).where(eq(offerings.id, offering.id));
    changes.push({ action: "hide", subject: offering.slug, detail: "no longer in the catalog" });
  }
  const rows = await tx.sql
    .select({ id: plans.id, slug: plans.slug, offeringSlug: offerings.slug })
    .from(plans)
    .innerJoin(offerings, eq(offerings.id, plans.offeringId))
    .where(eq(plans.status, "published"));
  for (const plan of rows) {
    const offered = bySlug.get(plan.offeringSlug);
    if (offered === undefined || offered.has(plan.slug)) continue;
    await tx.sql.update(plans).set({ status: "hidden" }).where(eq(plans.id, plan.id));
    changes.push({ action: "hide", subject: `${plan.offeringSlug}/${plan.slug}`, detail: "no longer in the catalog" });
  }
}
