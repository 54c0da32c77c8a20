import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { billingPeriods, invoiceLines, invoices, organizations, subscriptions } from "@sewa/db/schema";
import { asc, eq, lte } from "drizzle-orm";
import { expect, test } from "vitest";
import { recordNodes } from "../capacity/index.ts";
import { listOfferings } from "../catalog/index.ts";
import { dayMs, hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { createCoupon } from "../coupons/index.ts";
import { placeOrder, quoteOrder } from "../orders/index.ts";
import {
  cancelAtPeriodEnd,
  reconcileSubscription,
  recordPayment,
  renewSubscription,
  undoCancel,
} from "../subscriptions/index.ts";
import { createTaxRate } from "../taxes/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { changePlan, getChange, loadPreview, previewPlanChange, reconcileChange, recordPreview } from "./index.ts";
import { applyPlans, usualPreview } from "./test-changes.ts";
import { type Act, judge, type OracleCoupon, type OraclePlan } from "./test-oracle.ts";

const count = 4 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const days = 36 * 30.5;
/** How many customers act at the same time. */
const lanes = 6;

const usual = { interval: "P30D", pastDueDays: 0, graceDays: 30, setupMinor: 0n, trial: null } as const;
const plans: readonly OraclePlan[] = [
  { ...usual, slug: "small", amountMinor: 50_000n },
  { ...usual, slug: "odd", amountMinor: 33_337n, pastDueDays: 5, setupMinor: 25_001n },
  { ...usual, slug: "large", amountMinor: 120_001n, pastDueDays: 5, trial: { periods: 2, amountMinor: 9_999n } },
  { ...usual, slug: "monthly", amountMinor: 60_000n, interval: "P1M" },
  { ...usual, slug: "monthly-late", amountMinor: 99_999n, interval: "P1M", pastDueDays: 3, setupMinor: 1n },
];
const coupons: readonly (OracleCoupon & { readonly code: string })[] = [
  { code: "SOME", basisPoints: 1_250, periods: 3 },
  { code: "EVER", basisPoints: 3_333, periods: null },
];
const taxBasisPoints = 1_100;
const zones = ["Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];

interface Renter {
  readonly ctx: CoreContext;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly timeZone: string;
  readonly first: OraclePlan;
  readonly coupon: OracleCoupon | null;
  plan: OraclePlan;
  readonly orderedAt: number;
  /** How likely money comes on a day on which something is open. */
  readonly pays: number;
  readonly steps: { at: number; acts: Act[] }[];
}

test("the judge takes nothing from the code that it judges", () => {
  const source = readFileSync(new URL("test-oracle.ts", import.meta.url), "utf8");
  expect(source).not.toMatch(/\bimport\b[^.]*from|require\(/);
});

test("three years of many subscriptions are asked for as somebody else works out from what their customers did, line by line", async () => {
  const seed = Number(process.env["MONEY_SEED"] ?? randomInt(2 ** 31));
  const random = randomOf(seed);
  await using core = await testCore();
  await recordNodes(core.ctx, [bigMachine("pc-1", "control-plane"), bigMachine("pc-2", "worker")]);
  await applyPlans(core.ctx, {
    plans: plans.map(({ slug, amountMinor, interval, pastDueDays, setupMinor, trial }) => ({
      slug,
      amount: amountMinor.toString(),
      interval,
      pastDueDays,
      price: [
        `, setup: "${setupMinor}"`,
        ...(trial === null ? [] : [`, trial: { periods: ${trial.periods}, amount: "${trial.amountMinor}" }`]),
      ].join(""),
    })),
  });
  await createTaxRate(core.ctx, { name: "PPN", percent: "11", isInclusive: false });
  const unlimited = { maxRedemptions: null, startsAt: null, endsAt: null, planIds: [], organizationId: null };
  for (const { code, basisPoints, periods } of coupons)
    await createCoupon(core.ctx, { ...unlimited, code, periods, discount: { kind: "percent", basisPoints } });
  const planIds = new Map((await listOfferings(core.ctx, {})).items[0]!.plans.map(({ slug, id }) => [slug, id]));
  const start = core.clock.now().getTime();
  const renters: Renter[] = [];
  for (let number = 0; number < count; number += 1) {
    core.clock.set(new Date(start + number * Math.floor((40 * dayMs) / count) + Math.floor(random() * hourMs)));
    renters.push(await rent(core, random));
  }
  const begin = start + 41 * dayMs;
  // Those that were ordered first are looked at in between, as the sweep does.
  for (let at = start + dayMs; at < begin + days * dayMs; at += dayMs * (1 + Math.floor(random() * 3))) {
    const now = at + Math.floor(random() * 20 * hourMs);
    core.clock.set(new Date(now));
    await playDay(
      core,
      renters.filter(({ orderedAt }) => orderedAt < now),
      now,
      random,
      planIds,
    );
  }
  for (const renter of renters) {
    const found = await readBooks(core, renter);
    const { timeZone, first, coupon, orderedAt, steps } = renter;
    const judged = judge({ timeZone, plan: first, coupon, taxBasisPoints, orderedAt, steps });
    expect({ seed, ...found }).toEqual({ seed, ...judged });
  }
}, 3_600_000);

async function rent(core: TestCore, random: () => number): Promise<Renter> {
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const timeZone = pick(zones, random);
  await core.database.drizzle.update(organizations).set({ timeZone }).where(eq(organizations.id, organizationId));
  const first = pick(plans, random);
  const coupon = pick([null, ...coupons], random);
  const planId = (await listOfferings(ctx, {})).items[0]!.plans.find(({ slug }) => slug === first.slug)!.id;
  const choice = { planId, parameters: {}, ...(coupon === null ? {} : { couponCode: coupon.code }) };
  const { priceKey } = await quoteOrder(ctx, choice);
  const { subscription } = await placeOrder(ctx, { ...choice, name: "App", priceKey, idempotencyKey: ctx.ids.next() });
  const { instanceId } = subscription;
  const { id: subscriptionId, orderedAt } = subscription.subscription;
  // Who does not pay at once may do so on a later day, or has ordered for nothing.
  const acts: Act[] = random() < 0.9 ? [{ type: "pay" }] : [];
  if (acts.length > 0) {
    const [open] = await core.database.drizzle
      .select()
      .from(invoices)
      .where(eq(invoices.subscriptionId, subscriptionId));
    await payInvoice(core, open!);
    await provisionOnce(core.ctx, instanceId);
  }
  return {
    ctx,
    subscriptionId,
    instanceId,
    timeZone,
    first,
    coupon,
    plan: first,
    orderedAt: orderedAt.getTime(),
    pays: pick([0.9, 0.5, 0.3, 0.12], random),
    steps: [{ at: orderedAt.getTime(), acts }],
  };
}

async function playDay(
  core: TestCore,
  renters: readonly Renter[],
  now: number,
  random: () => number,
  planIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { drizzle } = core.database;
  const due = await drizzle
    .select({ id: subscriptions.id })
    .from(subscriptions)
    .where(lte(subscriptions.nextDueAt, new Date(now)));
  await inLanes(due, async ({ id }) => void (await reconcileSubscription(core.ctx, id)));
  const rows = await drizzle
    .select({
      id: subscriptions.id,
      status: subscriptions.status,
      isEnding: subscriptions.cancelAtPeriodEnd,
      periodEnd: subscriptions.currentPeriodEnd,
    })
    .from(subscriptions);
  const states = new Map(rows.map((row) => [row.id, row]));
  const open = new Map(
    (await drizzle.select().from(invoices).where(eq(invoices.status, "open"))).map((row) => [row.subscriptionId, row]),
  );
  const paid = new Set(
    (await drizzle.select().from(invoices).where(eq(invoices.status, "paid")))
      .filter(({ periodStart, reason }) => reason === "renewal" && periodStart !== null && periodStart.getTime() > now)
      .map(({ subscriptionId }) => subscriptionId),
  );
  const moves = renters.map((renter) => {
    const state = states.get(renter.subscriptionId)!;
    const facts = { ...state, open: open.get(renter.subscriptionId) ?? null, isPaid: paid.has(renter.subscriptionId) };
    const acts: Act[] = [];
    renter.steps.push({ at: now, acts });
    const act = decide(renter, facts, random);
    if (act !== null) acts.push(act);
    return { renter, act, open: facts.open };
  });
  await inLanes(moves, async (move) => {
    if (move.act !== null) await carryOut(core, move.renter, move.act, move.open, planIds);
  });
}

interface Facts {
  readonly status: string;
  readonly isEnding: boolean;
  readonly open: typeof invoices.$inferSelect | null;
  readonly isPaid: boolean;
}

function decide(renter: Renter, { status, isEnding, open, isPaid }: Facts, random: () => number): Act | null {
  const dice = random();
  if (status === "cancelled") return null;
  if (open !== null && dice < renter.pays) return { type: "pay" };
  if (status === "expired" && open === null) return dice < 0.15 ? { type: "renew" } : null;
  if (status !== "active" || isPaid) return null;
  if (isEnding) return dice > 0.97 ? { type: "undo_end" } : null;
  if (dice > 0.996) return { type: "end" };
  if (dice > 0.992 && open === null) return { type: "renew" };
  if (dice > 0.982) {
    const others = plans.filter(({ slug, interval }) => interval === renter.plan.interval && slug !== renter.plan.slug);
    return { type: "change_plan", to: pick(others, random) };
  }
  return null;
}

async function carryOut(
  core: TestCore,
  renter: Renter,
  act: Act,
  open: typeof invoices.$inferSelect | null,
  planIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { ctx, subscriptionId, instanceId } = renter;
  const input = { subscriptionId, idempotencyKey: ctx.ids.next() };
  switch (act.type) {
    case "pay": {
      await payInvoice(core, open!);
      await provisionOnce(core.ctx, instanceId);
      return;
    }
    case "renew":
      await renewSubscription(ctx, input);
      return;
    case "end":
      await cancelAtPeriodEnd(ctx, input);
      return;
    case "undo_end":
      await undoCancel(ctx, input);
      await reconcileSubscription(core.ctx, subscriptionId);
      return;
    case "change_plan":
      renter.plan = act.to;
      await takePlan(core, renter, planIds.get(act.to.slug)!);
  }
}

async function takePlan(core: TestCore, { ctx, subscriptionId, instanceId }: Renter, planId: string): Promise<void> {
  const choice = { subscriptionId, planId, moment: "now" } as const;
  await provisionOnce(core.ctx, instanceId);
  const { at, priceKey } = await previewPlanChange(ctx, choice);
  await changePlan(ctx, { ...choice, at, priceKey, idempotencyKey: ctx.ids.next() });
  const change = async () => (await newestChange(core, instanceId))!;
  await look(core, await change());
  const { change: planned } = await getChange(ctx, await change());
  if (planned.status === "awaiting_payment") {
    const [invoice] = await core.database.drizzle.select().from(invoices).where(eq(invoices.id, planned.invoiceId!));
    await payInvoice(core, invoice!);
    await reconcileChange(core.ctx, instanceId);
  }
  await look(core, await change());
  await provisionOnce(core.ctx, instanceId);
  await reconcileChange(core.ctx, instanceId);
  await reconcileSubscription(core.ctx, subscriptionId);
}

async function look(core: TestCore, changeId: string): Promise<void> {
  if ((await loadPreview(core.ctx, changeId)) === null) throw new Error("There is nothing to look at.");
  await recordPreview(core.ctx, changeId, usualPreview);
}

async function newestChange(core: TestCore, instanceId: string): Promise<string | undefined> {
  const [row] = await core.database.drizzle.execute<{ id: string }>(
    `select id from instance_changes where instance_id = '${instanceId}' order by id desc limit 1`,
  );
  return row?.id;
}

async function payInvoice(core: TestCore, invoice: typeof invoices.$inferSelect): Promise<void> {
  const { id: invoiceId, totalMinor: amountMinor, currency, organizationId } = invoice;
  const ctx = core.ctx.forOrganization(organizationId);
  await recordPayment(ctx, {
    invoiceId,
    amountMinor,
    currency,
    reference: `BANK-${invoiceId}`,
    idempotencyKey: invoiceId,
  });
  await reconcileSubscription(core.ctx, invoice.subscriptionId);
}

/** As the oracle tells it. */
async function readBooks({ database: { drizzle } }: TestCore, { subscriptionId }: Renter) {
  const [subscription] = await drizzle.select().from(subscriptions).where(eq(subscriptions.id, subscriptionId));
  const asked = await drizzle
    .select()
    .from(invoices)
    .where(eq(invoices.subscriptionId, subscriptionId))
    .orderBy(asc(invoices.id));
  const lines = await drizzle.select().from(invoiceLines).orderBy(asc(invoiceLines.position));
  const served = await drizzle
    .select()
    .from(billingPeriods)
    .where(eq(billingPeriods.subscriptionId, subscriptionId))
    .orderBy(asc(billingPeriods.startsAt));
  return {
    status: subscription!.status,
    invoices: asked.map(({ id, reason, status, totalMinor, periodStart, periodEnd }) => ({
      reason,
      status,
      lines: lines.filter(({ invoiceId }) => invoiceId === id).map(({ amountMinor }) => amountMinor),
      totalMinor,
      start: periodStart?.getTime() ?? null,
      end: periodEnd?.getTime() ?? null,
    })),
    periods: served.map(({ startsAt, endsAt }) => [startsAt.getTime(), endsAt.getTime()]),
  };
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

function bigMachine(name: string, role: "control-plane" | "worker") {
  return {
    name,
    role,
    pool: "default",
    ready: true,
    schedulable: true,
    allocatableCpuMillis: 10_000_000,
    allocatableMemoryBytes: 2 ** 44,
    conditions: [],
  };
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
