import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { billingPeriods, invoiceLines, invoices, organizations, subscriptions } from "@sewa/db/schema";
import { and, asc, eq, gt, inArray, lte, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { listOfferings } from "../catalog/index.ts";
import { dayMs, hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { createCoupon } from "../coupons/index.ts";
import { placeOrder, quoteOrder } from "../orders/index.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  reconcileSubscription,
  recordPayment,
  renewSubscription,
  undoCancel,
} from "../subscriptions/index.ts";
import { createTaxRate } from "../taxes/index.ts";
import { rateUsage } from "../usage/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCustomer, givenLargeMachines } from "../testing/given.ts";
import { DomainError } from "../errors.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import {
  changePlan,
  executePlan,
  getChange,
  loadPreview,
  planChange,
  previewPlanChange,
  reconcileChange,
  recordPreview,
} from "./index.ts";
import { applyPlans, usualPreview } from "./test-changes.ts";
import {
  type Act,
  judge,
  type OracleCoupon,
  type OracleHour,
  type OracleMeter,
  type OraclePlan,
} from "./test-oracle.ts";

const factor = Number(process.env["PROPERTY_FACTOR"] ?? 1);
const count = 4 * factor;
/** A renter is three years of invoices, payments and changes: some seconds of work. A thousand (a factor of 250) take more than an hour. */
const timeoutMs = Math.max(600_000, factor * 60_000);
const days = 36 * 30.5;
/** How many customers act at the same time. */
const lanes = 6;

const usual = { interval: "P30D", pastDueDays: 0, graceDays: 30, setupMinor: 0n, trial: null, meters: [] } as const;
const coreHour = 3_600_000n;
/** So much a core-hour beyond so many, and so much for seven hours of running. */
const cpu = (unitMinor: bigint, includedHours: bigint): OracleMeter => ({
  name: "cpu",
  unitMinor,
  perQuantity: coreHour,
  includedQuantity: includedHours * coreHour,
});
const running = (unitMinor: bigint): OracleMeter => ({
  name: "running",
  unitMinor,
  perQuantity: 7n * 3_600n,
  includedQuantity: 0n,
});
const plans: readonly OraclePlan[] = [
  { ...usual, slug: "small", amountMinor: 50_000n, addonMinor: 20_000n },
  { ...usual, slug: "odd", amountMinor: 33_337n, addonMinor: 7_777n, pastDueDays: 5, setupMinor: 25_001n },
  {
    ...usual,
    slug: "large",
    amountMinor: 120_001n,
    addonMinor: 15_001n,
    pastDueDays: 5,
    trial: { periods: 2, amountMinor: 9_999n },
    meters: [cpu(333n, 3n)],
  },
  { ...usual, slug: "used", amountMinor: 10_001n, addonMinor: 9_000n, meters: [cpu(501n, 2n), running(11n)] },
  { ...usual, slug: "monthly", amountMinor: 60_000n, addonMinor: 20_000n, interval: "P1M", meters: [running(13n)] },
  {
    ...usual,
    slug: "monthly-late",
    amountMinor: 99_999n,
    addonMinor: 33_333n,
    interval: "P1M",
    pastDueDays: 3,
    setupMinor: 1n,
    meters: [cpu(999n, 1n)],
  },
];
const maxAddons = 8;
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
  readonly firstAddons: number;
  readonly coupon: OracleCoupon | null;
  plan: OraclePlan;
  addons: number;
  /** All that is known of hours, which may become more. */
  readonly hours: Map<number, OracleHour>;
  readonly orderedAt: number;
  /** How likely money comes on a day on which something is open. */
  readonly pays: number;
  readonly steps: { at: number; acts: Act[] }[];
}

test("the judge takes nothing from the code that it judges", () => {
  const source = readFileSync(new URL("test-oracle.ts", import.meta.url), "utf8");
  expect(source).not.toMatch(/\bimport\b[^.]*from|require\(/);
});

test(
  "three years of many subscriptions are asked for as somebody else works out from what their customers did, line by line",
  async () => {
    const seed = Number(process.env["MONEY_SEED"] ?? randomInt(2 ** 31));
    const random = randomOf(seed);
    await using core = await testCore();
    await givenLargeMachines(core.ctx);
    await applyPlans(core.ctx, {
      plans: plans.map(({ slug, amountMinor, interval, pastDueDays, setupMinor, trial, addonMinor, meters }) => ({
        slug,
        amount: amountMinor.toString(),
        interval,
        pastDueDays,
        price: [
          `, setup: "${setupMinor}"`,
          ...(trial === null ? [] : [`, trial: { periods: ${trial.periods}, amount: "${trial.amountMinor}" }`]),
          ...(meters.length === 0 ? [] : [`, usage: [${meters.map(toYaml).join(", ")}]`]),
        ].join(""),
        addons: `[{ slug: storage, name: Storage, adds: { storage: 1Gi }, max: ${maxAddons}, prices: [{ currency: IDR, amount: "${addonMinor}" }] }]`,
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
    let judgedAt = begin;
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
      // A difference of the first year need not be waited for until the third has passed.
      if (now - judgedAt < 200 * dayMs) continue;
      await expectAsJudged(core, renters, seed);
      judgedAt = now;
    }
    await expectAsJudged(core, renters, seed);
  },
  timeoutMs,
);

async function expectAsJudged(core: TestCore, renters: readonly Renter[], seed: number): Promise<void> {
  for (const renter of renters) {
    const found = await readBooks(core, renter);
    const { timeZone, first: plan, firstAddons: addons, coupon, orderedAt, steps } = renter;
    const judged = judge({ timeZone, plan, addons, coupon, taxBasisPoints, orderedAt, steps });
    expect({ seed, ...found }).toEqual({ seed, ...judged });
  }
}

function toYaml({ name, unitMinor, perQuantity, includedQuantity }: OracleMeter): string {
  const hour = name === "cpu" ? coreHour : 3_600n;
  const [per, included] = [perQuantity / hour, includedQuantity / hour];
  return `{ meter: ${name}, amount: "${unitMinor}", per: "${per}"${included > 0n ? `, included: "${included}"` : ""} }`;
}

async function rent(core: TestCore, random: () => number): Promise<Renter> {
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const timeZone = pick(zones, random);
  await core.database.drizzle.update(organizations).set({ timeZone }).where(eq(organizations.id, organizationId));
  const first = pick(plans, random);
  const coupon = pick([null, ...coupons], random);
  const planId = (await listOfferings(ctx, {})).items[0]!.plans.find(({ slug }) => slug === first.slug)!.id;
  const addons = pick([0, 0, 1, 2], random);
  const wish = { planId, parameters: {}, ...(addons === 0 ? {} : { addons: { storage: addons } }) };
  const choice = { ...wish, ...(coupon === null ? {} : { couponCode: coupon.code }) };
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
    firstAddons: addons,
    plan: first,
    addons,
    hours: new Map(),
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
  await rateUsage(core.ctx);
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
  const ahead = and(
    eq(invoices.status, "paid"),
    eq(invoices.reason, "renewal"),
    gt(invoices.periodStart, new Date(now)),
  );
  const paid = new Set(
    (await drizzle.select({ id: invoices.subscriptionId }).from(invoices).where(ahead)).map(({ id }) => id),
  );
  const moves = renters.map((renter) => {
    const state = states.get(renter.subscriptionId)!;
    const facts = { ...state, open: open.get(renter.subscriptionId) ?? null, isPaid: paid.has(renter.subscriptionId) };
    const acts: Act[] = [];
    renter.steps.push({ at: now, acts });
    const hours = measure(renter, facts, now, random);
    if (hours.length > 0) acts.push({ type: "use", hours });
    const act = decide(renter, facts, random);
    if (act !== null) acts.push(act);
    return { renter, act, hours, open: facts.open };
  });
  await writeHours(core, moves);
  await inLanes(moves, async (move) => {
    if (move.act !== null) await carryOut(core, move.renter, move.act, move.open, planIds);
  });
}

/** Some hours of the last day; or more of one that was measured in the last weeks, which somebody may have been asked for already. */
function measure(renter: Renter, { status }: Facts, now: number, random: () => number): readonly OracleHour[] {
  const known = [...renter.hours.values()].filter(({ at }) => at > now - 20 * dayMs);
  if (random() < 0.01 && known.length > 0) {
    const { at, amounts } = pick(known, random);
    return keep(renter, [
      { at, amounts: { cpu: amounts["cpu"]! + BigInt(Math.floor(random() * 4e5)), running: 3_600n } },
    ]);
  }
  if ((status !== "active" && status !== "past_due") || random() > 0.06) return [];
  const from = Math.floor(now / hourMs) * hourMs - Math.floor(2 + random() * 24) * hourMs;
  const amounts = { cpu: BigInt(Math.floor(random() * 6e6)), running: BigInt(60 * Math.floor(1 + random() * 59)) };
  return keep(
    renter,
    Array.from({ length: 1 + Math.floor(random() * 9) }, (_, index) => ({ at: from - index * hourMs, amounts })).filter(
      ({ at }) => !renter.hours.has(at),
    ),
  );
}

function keep(renter: Renter, hours: readonly OracleHour[]): readonly OracleHour[] {
  for (const hour of hours) renter.hours.set(hour.at, hour);
  return hours;
}

/** As if the samples of each had been summed up by now. */
async function writeHours(
  { database }: TestCore,
  moves: readonly { readonly renter: Renter; readonly hours: readonly OracleHour[] }[],
): Promise<void> {
  const rows = moves.flatMap(({ renter: { ctx, instanceId }, hours }) =>
    hours.map(({ at, amounts }) => ({
      organization_id: ctx.organizationId,
      instance_id: instanceId,
      hour_at: new Date(at).toISOString(),
      covered: Number(amounts["running"]),
      cpu: Number(amounts["cpu"]),
    })),
  );
  if (rows.length === 0) return;
  await database.drizzle.execute(sql`
    insert into usage_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds, cpu_max_millis,
      memory_byte_seconds, memory_max_bytes, storage_covered_seconds, storage_byte_seconds, storage_max_bytes)
    select organization_id, instance_id, hour_at, covered, cpu, 2000, 0, 0, covered, 0, 0
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(organization_id uuid, instance_id uuid, hour_at timestamptz, covered int, cpu bigint)
    on conflict (instance_id, hour_at) do update set covered_seconds = excluded.covered_seconds,
      cpu_milli_seconds = excluded.cpu_milli_seconds, storage_covered_seconds = excluded.storage_covered_seconds, is_rated = false`);
}

interface Facts {
  readonly status: string;
  readonly isEnding: boolean;
  readonly open: typeof invoices.$inferSelect | null;
  readonly isPaid: boolean;
}

function decide(renter: Renter, { status, isEnding, open, isPaid }: Facts, random: () => number): Act | null {
  const dice = random();
  if (open !== null && dice < renter.pays) return { type: "pay" };
  if (status === "cancelled") return null;
  if (status !== "pending" && !isPaid && dice > 0.9995) return { type: "cancel" };
  if (status === "expired" && open === null) return dice < 0.15 ? { type: "renew" } : null;
  if (status !== "active" || isPaid) return null;
  if (isEnding) return dice > 0.97 ? { type: "undo_end" } : null;
  if (dice > 0.996) return { type: "end" };
  if (dice > 0.992 && open === null) return { type: "renew" };
  if (dice > 0.986 && renter.addons < maxAddons) return { type: "change_addons", to: renter.addons + 1 };
  if (dice > 0.976) {
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
      // The cluster has something to do where an app begins, and not where it goes on.
      if (open!.reason === "order" || open!.reason === "reactivation") await provisionOnce(core.ctx, instanceId);
      return;
    }
    case "cancel":
      await insist(() => cancelNow(ctx, { ...input, confirmName: "App" }));
      return;
    case "use":
      return;
    case "renew":
      await insist(() => renewSubscription(ctx, input));
      return;
    case "end":
      await insist(() => cancelAtPeriodEnd(ctx, input));
      return;
    case "undo_end":
      await insist(() => undoCancel(ctx, input));
      await reconcileSubscription(core.ctx, subscriptionId);
      return;
    case "change_plan":
      renter.plan = act.to;
      await takePlan(core, renter, planIds.get(act.to.slug)!);
      return;
    case "change_addons":
      renter.addons = act.to;
      await takeAddons(core, renter);
  }
}

/** As a program of the customer's does with the same key: on a machine that is very busy a lock may be waited for in vain. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof DomainError && error.code === "CONFLICT" && error.message.endsWith("Try again.");
      if (!isBusy || tries === 5) throw error;
    }
  }
}

async function takePlan(core: TestCore, { ctx, subscriptionId, instanceId }: Renter, planId: string): Promise<void> {
  const choice = { subscriptionId, planId, moment: "now" } as const;
  await provisionOnce(core.ctx, instanceId);
  const { at, priceKey } = await previewPlanChange(ctx, choice);
  await changePlan(ctx, { ...choice, at, priceKey, idempotencyKey: ctx.ids.next() });
  await carryOutChange(core, { ctx, subscriptionId, instanceId });
}

async function takeAddons(core: TestCore, renter: Renter): Promise<void> {
  const { ctx, instanceId, addons } = renter;
  await provisionOnce(core.ctx, instanceId);
  const request = { kind: "update", parameters: {}, addons: { storage: addons } } as const;
  const { change } = await planChange(ctx, { instanceId, request, idempotencyKey: ctx.ids.next() });
  await look(core, change.id);
  const { hash } = (await getChange(ctx, change.id)).change;
  await executePlan(ctx, { changeId: change.id, hash: hash!, idempotencyKey: ctx.ids.next() });
  await carryOutChange(core, renter, false);
}

/** Its approval, its money, and the app's new shape. */
async function carryOutChange(
  core: TestCore,
  { ctx, subscriptionId, instanceId }: Pick<Renter, "ctx" | "subscriptionId" | "instanceId">,
  approvesItself = true,
): Promise<void> {
  const change = async () => (await newestChange(core, instanceId))!;
  if (approvesItself) await look(core, await change());
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
  const ids = asked.map(({ id }) => id);
  const lines = await drizzle
    .select({ invoiceId: invoiceLines.invoiceId, amountMinor: invoiceLines.amountMinor })
    .from(invoiceLines)
    .where(inArray(invoiceLines.invoiceId, ids))
    .orderBy(asc(invoiceLines.position));
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
