import { billingPeriods, invoices, subscriptions } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { countParked } from "../accounts/index.ts";
import { listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { stepClock } from "../clocks/index.ts";
import {
  listPaymentMethods,
  type ProviderAccess,
  reconcilePayment,
  setAutomaticPayment,
  startTopUp,
} from "../payments/index.ts";
import { renewSubscription, sweepSubscriptions } from "../subscriptions/index.ts";
import { createFakeGateway, type FakeGateway } from "../testing/fake-gateway.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { workOffPayments } from "../testing/paying.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { adjustWallet } from "../wallet/index.ts";
import { checkBooks, runBooksCheck } from "./index.ts";
import { givenPaidApp, type PaidApp, payOpenInvoices } from "./test-books.ts";

const periodDays = 30;
const outageDays = 3;

interface Life {
  readonly plan: "free" | "small";
  /** Ordered so many hours before the workers stop. */
  readonly ageHours: number;
  readonly pastDueDays: number;
  /** By bank within a day; by itself, out of the wallet or from a saved card; or never again after the first time. */
  readonly pays: "bank" | "wallet" | "card" | "never";
  readonly hasTestClock: boolean;
}

const life: fc.Arbitrary<Life> = fc.record({
  plan: fc.constantFrom("free", "small"),
  // Of which many end while nobody works.
  ageHours: fc.oneof(
    fc.integer({ min: 1, max: 40 * 24 }),
    fc.integer({ min: (periodDays - outageDays) * 24, max: periodDays * 24 }),
  ),
  pastDueDays: fc.constantFrom(0, 2, 5),
  pays: fc.constantFrom("bank", "wallet", "card", "never", "never"),
  hasTestClock: fc.boolean(),
});

const lives = 20;
const runs = Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** The house, and the gateway that it is connected to. */
interface House {
  readonly core: TestCore;
  readonly gateway: FakeGateway;
  readonly access: ProviderAccess;
}

async function openHouse(): Promise<House> {
  const core = await testCore({}, { paymentProviders: ["sandbox"] });
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const gateway = createFakeGateway();
  return { core, gateway, access: { providers: [gateway], signal: new AbortController().signal } };
}

interface Renter extends PaidApp, Life {
  readonly orderedAt: Date;
}

/** Sets the time of the house and of everybody on a test clock, and nothing else: what is due stays due. */
async function setTime(core: TestCore, now: Date): Promise<void> {
  core.clock.set(now);
  await core.database.drizzle.execute(
    `update test_clocks set now_at = '${now.toISOString()}', target_at = '${now.toISOString()}'`,
  );
}

async function order(house: House, plan: Life): Promise<Renter> {
  const { core } = house;
  const testClock = plan.hasTestClock;
  const customer = plan.plan === "small" ? await givenPaidApp(core, { testClock }) : await orderFree(core, plan);
  if (plan.pays === "wallet") await fillWallet(core, customer);
  if (plan.pays === "card") await saveCard(house, customer);
  await core.database.drizzle
    .update(subscriptions)
    .set({ pastDueDays: plan.pastDueDays })
    .where(eq(subscriptions.id, customer.subscriptionId));
  return { ...customer, ...plan, orderedAt: core.clock.now() };
}

async function orderFree(core: TestCore, { hasTestClock }: Life): Promise<PaidApp> {
  const { ctx, organizationId } = await givenCustomer(core.ctx, { testClock: hasTestClock });
  const { subscription } = await givenOrder(ctx, { plan: "free" });
  await provisionOnce(core.ctx, subscription.instanceId);
  return { ctx, organizationId, subscriptionId: subscription.subscription.id, instanceId: subscription.instanceId };
}

const yearsOfRentMinor = 10_000_000n;

async function fillWallet({ ctx }: TestCore, { organizationId }: PaidApp): Promise<void> {
  const paidAhead = { amountMinor: yearsOfRentMinor, currency: "IDR", reason: "Paid ahead by bank." } as const;
  await adjustWallet(ctx.forOrganization(organizationId), { ...paidAhead, idempotencyKey: ctx.ids.next() });
}

/** Left with the gateway at a top-up, and charged for renewals from then on. */
async function saveCard({ core, gateway, access }: House, { ctx }: PaidApp): Promise<void> {
  const choice = { method: "checkout", savesMethod: true, amountMinor: 1n, currency: "IDR" } as const;
  const { id } = await startTopUp(ctx, { ...choice, idempotencyKey: ctx.ids.next() });
  await reconcilePayment(core.ctx, id, access);
  gateway.pay(id);
  await reconcilePayment(core.ctx, id, access);
  const [card] = (await listPaymentMethods(ctx, {})).items;
  await setAutomaticPayment(ctx, { methodId: card!.id, isAutomatic: true });
}

/** What the workers do in a while, and those who pay by hand. */
async function live({ core, access }: House, renters: readonly Renter[]): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await sweepSubscriptions(core.ctx);
    await workOffPayments(core, access);
    for (const { organizationId } of renters.filter(({ hasTestClock }) => hasTestClock))
      await stepClock(core.ctx, organizationId);
    await workOffPayments(core, access);
    await core.database.drizzle.execute("delete from graphile_worker._private_jobs");
    if (round > 0) return;
    for (const renter of renters.filter(paysByHand)) await pay(core, renter);
  }
}

/** What costs nothing is renewed by a word, however its customer pays. */
function paysByHand({ plan, pays }: Life): boolean {
  return plan === "free" ? pays !== "never" : pays === "bank";
}

async function pay(core: TestCore, { ctx, organizationId, subscriptionId, plan }: Renter): Promise<void> {
  const open = (await listInvoices(ctx, {})).items.some(({ invoice }) => invoice.status === "open");
  if (!open) return;
  if (plan === "small") await payOpenInvoices(core, ctx, organizationId);
  else await renewSubscription(ctx, { subscriptionId, idempotencyKey: core.ctx.ids.next() });
}

/** Forty days on which workers work, three on which nobody does, and two more. */
async function play(house: House, plans: readonly Life[]) {
  const { core } = house;
  const stopsAt = addMs(core.clock.now(), 41 * dayMs);
  const renters: Renter[] = [];
  const orders = plans.toSorted((a, b) => b.ageHours - a.ageHours);
  for (let now = core.clock.now(); now < stopsAt; now = addMs(now, dayMs)) {
    for (const next of orders.filter(({ ageHours }) => addMs(stopsAt, -ageHours * hourMs) < addMs(now, dayMs))) {
      await setTime(core, addMs(stopsAt, -next.ageHours * hourMs));
      renters.push(await order(house, next));
      orders.splice(orders.indexOf(next), 1);
    }
    await setTime(core, addMs(now, dayMs));
    await live(house, renters);
  }
  await setTime(core, addMs(stopsAt, outageDays * dayMs));
  const seen = [];
  for (const mode of ["recent", "whole"] as const) seen.push(...(await runBooksCheck(core.ctx, { mode }))!.opened);
  const parked = await countParked(core.ctx);
  await live(house, renters);
  await setTime(core, addMs(core.clock.now(), 2 * dayMs));
  await live(house, renters);
  return { renters, seen, parked };
}

test(
  `after three days without workers nobody is parked, and every period was billed once (${lives} subscriptions, ${runs} runs)`,
  { timeout: 120_000 * runs },
  async () => {
    const chosen = (["bank", "wallet", "card"] as const).flatMap((pays): readonly Life[] => {
      // Its next period is paid for, and begins while nobody works.
      const begins: Life = { plan: "small", ageHours: 29 * 24, pastDueDays: 0, pays, hasTestClock: false };
      // Its next period should be asked for while nobody works.
      const isAsked: Life = { ...begins, ageHours: 22 * 24 };
      return [begins, { ...begins, hasTestClock: true }, isAsked];
    });
    const many = fc.array(life, { minLength: lives - chosen.length, maxLength: lives - chosen.length });
    await fc.assert(
      fc.asyncProperty(many, async (plans) => {
        const house = await openHouse();
        await using core = house.core;
        const { renters, seen, parked } = await play(house, [...chosen, ...plans]);
        expect(renters).toHaveLength(lives);
        const late = seen.filter(({ checkId }) => checkId === "M27").map(({ organizationId }) => organizationId);
        const begins = renters.filter((renter) => renter.ageHours === chosen[0]?.ageHours && renter.pays !== "never");
        for (const { organizationId } of begins) expect(late).toContain(organizationId);
        expect(seen.filter(({ kind }) => kind !== "clock")).toEqual([]);
        expect(parked).toBe(0);
        expect(await checkBooks(core.ctx)).toEqual([]);
        expect((await runBooksCheck(core.ctx, { mode: "whole" }))!.run).toMatchObject({ findings: 0, opened: 0 });
        expect(await countParked(core.ctx)).toBe(0);
        for (const renter of renters) await expectBilledOnce(core, renter);
        const [taken] = await core.database.drizzle.execute(
          "select sum(received_minor)::text as minor from payment_intents where provider = 'sandbox'",
        );
        expect(taken).toEqual({ minor: String(house.gateway.heldMinor) });
      }),
      { numRuns: runs, verbose: true, endOnFailure: true },
    );
  },
);

async function expectBilledOnce(core: TestCore, renter: Renter): Promise<void> {
  const { drizzle } = core.database;
  const { subscriptionId } = renter;
  const keyOf = ({ termNumber, periodIndex }: { termNumber: number; periodIndex: number }) =>
    `${termNumber}/${periodIndex}`;
  const periods = await drizzle
    .select()
    .from(billingPeriods)
    .where(eq(billingPeriods.subscriptionId, subscriptionId))
    .orderBy(asc(billingPeriods.startsAt));
  const charged = (await drizzle.select().from(invoices).where(eq(invoices.subscriptionId, subscriptionId))).filter(
    ({ status }) => status === "paid" || status === "uncollectible",
  );
  expect(new Set(charged.map(keyOf)).size).toBe(charged.length);
  for (const period of periods) expect(charged.map(keyOf)).toContain(keyOf(period));
  if (renter.pays === "never") return;
  // Who pays was never without: as many periods as have begun since the order, each where the last one ended.
  const begun = Math.floor((core.clock.now().getTime() - renter.orderedAt.getTime()) / (periodDays * dayMs)) + 1;
  expect(periods.map(({ startsAt }) => startsAt)).toEqual(
    Array.from({ length: begun }, (_, index) => addMs(renter.orderedAt, index * periodDays * dayMs)),
  );
  const [row] = await drizzle.select().from(subscriptions).where(eq(subscriptions.id, subscriptionId));
  expect(row).toMatchObject({ status: "active", termNumber: 1, periodIndex: begun - 1 });
}
