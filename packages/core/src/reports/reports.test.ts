import { connectAsSuperuser } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { updateOrganization } from "../accounts/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { listPaymentMethods, setAutomaticPayment } from "../payments/index.ts";
import { cancelAtPeriodEnd, cancelNow, reconcileSubscription } from "../subscriptions/index.ts";
import { createTaxRate, endTaxRate } from "../taxes/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenOrder } from "../testing/given.ts";
import { givenPayingCustomer } from "../testing/paying.ts";
import { adjustWallet } from "../wallet/index.ts";
import {
  getRecurringRevenue,
  listChurn,
  listMargins,
  listReceivables,
  listUpcomingInvoices,
  summariseRevenue,
} from "./index.ts";
import { costOfRoom } from "./margins.ts";
import { perMonth } from "./per-month.ts";
import { givenWorld, type World } from "./test-world.ts";

const jakartaMidnight = new Date("2026-03-31T17:00:00.000Z");

async function mrrAt(world: World, at: Date): Promise<bigint> {
  const [row] = await getRecurringRevenue(world.operator, { from: at, to: at });
  return row?.endMinor ?? 0n;
}

test("thirty days are rounded to a month once, a half up, and a month is what it is", () => {
  expect(perMonth(36n, "P30D", 0)).toBe(37n);
  expect(perMonth(35n, "P30D", 0)).toBe(35n);
  expect(perMonth(50_000n, "P30D", 0)).toBe(50_694n);
  expect(perMonth(60_000n, "P1M", 0)).toBe(60_000n);
  expect(perMonth(0n, "P30D", 0)).toBe(0n);
  // What it contains of tax is the state's.
  expect(perMonth(55_500n, "P1M", 1_100)).toBe(50_000n);
  expect(perMonth(55_500n, "P30D", 1_100)).toBe(50_694n);
});

test("room is priced over CPU and memory together, rounded once", () => {
  const room = { cpuMillis: 250n, memoryBytes: 512n * 2n ** 20n };
  expect(costOfRoom({ perCpuMinor: 100_000n, perGibMinor: 20_000n }, room)).toBe(35_000n);
  // A quarter and a quarter are a half.
  expect(costOfRoom({ perCpuMinor: 1n, perGibMinor: 1n }, { cpuMillis: 250n, memoryBytes: 2n ** 28n })).toBe(1n);
  expect(costOfRoom({ perCpuMinor: 1n, perGibMinor: 1n }, { cpuMillis: 249n, memoryBytes: 2n ** 28n })).toBe(0n);
});

test("a month ends at midnight of the house", async () => {
  await using world = await givenWorld();
  world.core.clock.set(addMs(jakartaMidnight, -1));
  await world.rent({ plan: "small" });
  world.core.clock.set(jakartaMidnight);
  await world.rent({ plan: "large" });
  expect(await summariseRevenue(world.operator, {})).toMatchObject([
    { month: "2026-03", chargedMinor: 50_000n },
    { month: "2026-04", chargedMinor: 120_000n },
  ]);
  expect(await summariseRevenue(world.operator, { from: "2026-04", to: "2026-04" })).toHaveLength(1);
});

test("what is owed is sorted by whole days since it was asked for", async () => {
  await using world = await givenWorld({ orderTtlHours: 200 * 24 });
  for (const _ of [1, 2]) {
    await world.rent({ plan: "small" });
    await world.pass(30 * dayMs);
  }
  const buckets = async () =>
    (await listReceivables(world.operator, {})).buckets.map(({ bucket, invoices }) => `${bucket}: ${invoices}`);
  // Sixty and thirty days old; a moment before, and a day later each.
  expect(await buckets()).toEqual(["0-30: 1", "31-60: 1"]);
  await world.pass(dayMs - 1);
  expect(await buckets()).toEqual(["0-30: 1", "31-60: 1"]);
  await world.pass(1);
  expect(await buckets()).toEqual(["31-60: 1", "61-90: 1"]);
  await world.pass(30 * dayMs);
  expect(await buckets()).toEqual(["61-90: 1", "90+: 1"]);
});

test("an app costs what room it holds, paid or not; in another currency nobody knows", async () => {
  await using world = await givenWorld({ roomPrice: { perCpuMinor: 100_000n, perGibMinor: 20_000n } });
  const paid = await world.rent({ plan: "monthly" });
  await paid.pay();
  const waiting = await world.rent({ plan: "small" });
  const foreign = await world.rent({ plan: "large", currency: "USD" });
  await foreign.pay();
  const { items } = await listMargins(world.operator, {});
  expect(
    items.map(({ instanceId, broughtMinor, costMinor, marginMinor }) => ({
      instanceId,
      broughtMinor,
      costMinor,
      marginMinor,
    })),
  ).toEqual([
    // 300 millis and a quarter of a GiB.
    { instanceId: paid.instanceId, broughtMinor: 60_000n, costMinor: 35_000n, marginMinor: 25_000n },
    { instanceId: waiting.instanceId, broughtMinor: 0n, costMinor: 30_000n, marginMinor: -30_000n },
    { instanceId: foreign.instanceId, broughtMinor: 1_166n, costMinor: null, marginMinor: null },
  ]);
});

test("who has paid for the next period is asked for the one after it", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  const start = world.core.clock.now();
  await app.pay();
  await world.pass(25 * dayMs);
  await app.pay();
  const upcoming = async (days: number) =>
    (await listUpcomingInvoices(world.operator, { until: addMs(start, days * dayMs) })).items;
  expect(await upcoming(52)).toEqual([]);
  expect(await upcoming(53)).toMatchObject([
    { opensAt: addMs(start, 53 * dayMs), dueAt: addMs(start, 60 * dayMs), amountMinor: 50_000n },
  ]);
  await world.pass(5 * dayMs);
  await world.pass(23 * dayMs);
  expect((await listReceivables(world.operator, {})).items).toMatchObject([{ dueAt: addMs(start, 60 * dayMs) }]);
});

test("what is foretold holds the tax that will hold when it is asked for", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  const start = world.core.clock.now();
  await app.pay();
  // It begins between now and the opening of the invoice.
  const tax = { name: "PPN", percent: "11", isInclusive: false, startsAt: addMs(start, 20 * dayMs) };
  await createTaxRate(world.operator, tax);
  await createTaxRate(world.operator, { ...tax, name: "Elsewhere", country: "SG" });
  const { items } = await listUpcomingInvoices(world.operator, { until: addMs(start, 25 * dayMs) });
  expect(items).toMatchObject([{ opensAt: addMs(start, 23 * dayMs), amountMinor: 55_500n }]);
  await world.pass(23 * dayMs);
  expect((await listReceivables(world.operator, {})).items).toMatchObject([{ amountMinor: 55_500n }]);
});

test("what is collected is foretold: the wallet pays in the order of time, then the card, then nobody", async () => {
  await using app = await givenPayingCustomer({ taxes: [{ name: "PPN", percent: "11", isInclusive: false }] });
  const { core, ctx, gateway } = app;
  await app.payByCard();
  await app.after(hourMs);
  const second = await givenOrder(ctx, { plan: "small", name: "Second" });
  const [method] = (await listPaymentMethods(ctx, {})).items;
  await app.start({ method: "saved", methodId: method!.id });
  await app.work();
  await provisionOnce(core.ctx, second.subscription.instanceId);
  const { id: topUp } = await app.topUp(70_000n);
  await app.work();
  gateway.pay(topUp);
  await app.tell(topUp);
  await app.work();

  const operator = core.ctx.as({ type: "operator", userId: core.ctx.ids.next() });
  // Two apps of 55,500 with tax were asked for and paid; what was paid ahead is money, and nobody's revenue.
  const [month] = await summariseRevenue(operator, {});
  expect(month).toMatchObject({ revenueMinor: 100_000n, receivedMinor: 181_000n, aheadMinor: 70_000n });

  await app.after(23 * dayMs - 2 * hourMs);
  const upcoming = async () =>
    (await listUpcomingInvoices(operator, {})).items.map(({ number, amountMinor, fromWalletMinor, fromCardMinor }) => [
      number,
      amountMinor,
      fromWalletMinor,
      fromCardMinor,
    ]);
  const [first, other] = [
    [null, 55_500n, 55_500n, 0n],
    [null, 55_500n, 14_500n, 0n],
  ];
  expect(await upcoming()).toEqual([first, other]);
  // A page of one is told the same: what the other app takes is taken.
  const page = await listUpcomingInvoices(operator, { limit: 1 });
  const next = await listUpcomingInvoices(operator, { cursor: page.nextCursor ?? "" });
  expect(next.items).toMatchObject([{ fromWalletMinor: 14_500n }]);
  await setAutomaticPayment(ctx, { methodId: method!.id, isAutomatic: true });
  expect(await upcoming()).toEqual([first, [null, 55_500n, 14_500n, 41_000n]]);

  gateway.faults.declines = true;
  for (const hours of [1, 1]) {
    core.clock.set(addMs(core.clock.now(), hours * hourMs));
    for (const subscriptionId of [app.subscriptionId, second.subscription.subscription.id]) {
      await reconcileSubscription(core.ctx, subscriptionId);
    }
    await app.work();
  }
  expect(await app.balances()).toMatchObject({ wallet: 0n, receivable: 41_000n });
  expect((await listReceivables(operator, {})).items).toMatchObject([{ amountMinor: 41_000n }]);
  // It was refused, and is charged again in a day.
  expect(await upcoming()).toEqual([["INV-2026-000004", 41_000n, 0n, 41_000n]]);
  gateway.faults.declines = false;
  await app.after(dayMs);
  expect(await app.balances()).toMatchObject({ receivable: 0n });
  expect(await upcoming()).toEqual([]);
});

test("what the wallet holds is foretold at once, and its card for the day on which it is charged again, if it is", async () => {
  await using app = await givenPayingCustomer();
  const { core, ctx, gateway } = app;
  await app.payByCard();
  const [method] = (await listPaymentMethods(ctx, {})).items;
  await setAutomaticPayment(ctx, { methodId: method!.id, isAutomatic: true });
  gateway.faults.declines = true;
  await app.after(23 * dayMs);
  const refusedAt = core.clock.now();
  await app.after(hourMs);
  const operator = core.ctx.as({ type: "operator", userId: ctx.ids.next() });
  const house = operator.forOrganization(ctx.organizationId!);
  const gift = { currency: "IDR", reason: "A gift.", idempotencyKey: "gift-0001" };
  await adjustWallet(house, { ...gift, amountMinor: 20_000n });
  const upcoming = async () =>
    (await listUpcomingInvoices(operator, {})).items.map(
      ({ collectsAt, amountMinor, fromWalletMinor, fromCardMinor }) => [
        collectsAt,
        amountMinor,
        fromWalletMinor,
        fromCardMinor,
      ],
    );
  expect(await upcoming()).toEqual([
    [core.clock.now(), 50_000n, 20_000n, 0n],
    [addMs(refusedAt, dayMs), 30_000n, 0n, 30_000n],
  ]);
  await app.work();
  expect(await upcoming()).toEqual([[addMs(refusedAt, dayMs), 30_000n, 0n, 30_000n]]);
  for (let day = 0; day < 6; day += 1) await app.after(dayMs);
  await adjustWallet(house, { ...gift, amountMinor: 10_000n, idempotencyKey: "gift-0002" });
  expect(await upcoming()).toEqual([[core.clock.now(), 30_000n, 10_000n, 0n]]);
});

test("who pays by themselves is asked for the period after the next one", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  const start = world.core.clock.now();
  await app.pay();
  await world.pass(22 * dayMs);
  const upcoming = async () =>
    (await listUpcomingInvoices(world.operator, { until: addMs(start, 53 * dayMs) })).items.map(
      ({ opensAt, fromWalletMinor }) => [opensAt, fromWalletMinor],
    );
  expect(await upcoming()).toEqual([[addMs(start, 23 * dayMs), 0n]]);
  await app.give(60_000n);
  expect(await upcoming()).toEqual([
    [addMs(start, 23 * dayMs), 50_000n],
    [addMs(start, 53 * dayMs), 10_000n],
  ]);
});

test("a price brings what is left of it without the taxes in it, whatever they have become since", async () => {
  await using world = await givenWorld({ roomPrice: { perCpuMinor: 100_000n, perGibMinor: 20_000n } });
  const ppn = { name: "PPN", percent: "20", isInclusive: true };
  const rate = await createTaxRate(world.operator, { ...ppn, country: "ID" });
  const app = await world.rent({ plan: "monthly" });
  await updateOrganization(app.ctx, { country: "ID" });
  await app.pay();
  // Its invoice was opened before anybody said where the customer is.
  expect((await listMargins(world.operator, {})).items).toMatchObject([{ broughtMinor: 60_000n, costMinor: 35_000n }]);
  const taxed = await world.rent({ plan: "monthly" });
  await updateOrganization(taxed.ctx, { country: "ID" });
  expect((await listMargins(world.operator, {})).items[1]).toMatchObject({ broughtMinor: 0n, marginMinor: -35_000n });
  await world.pass(32 * dayMs);
  await app.pay();
  await world.pass(hourMs);
  const now = world.core.clock.now();
  expect((await listMargins(world.operator, {})).items).toMatchObject([
    { broughtMinor: 50_000n, marginMinor: 15_000n },
  ]);
  await endTaxRate(world.operator, { taxRateId: rate.id });
  await updateOrganization(app.ctx, { country: null });
  await world.pass(dayMs);
  expect(await mrrAt(world, now)).toBe(50_000n);
  expect(await mrrAt(world, addMs(now, -3 * dayMs))).toBe(60_000n);
});

test("an app is lost for the reason for which it was", async () => {
  await using world = await givenWorld();
  const rentPaid = async (plan: "small" | "large" | "monthly") => {
    const app = await world.rent({ plan });
    await app.pay();
    return app;
  };
  const [ended, , , cancelled] = [
    await rentPaid("small"),
    await rentPaid("small"),
    await rentPaid("large"),
    await rentPaid("monthly"),
  ];
  const { ctx, subscriptionId } = ended;
  await cancelAtPeriodEnd(ctx, { subscriptionId, idempotencyKey: "end-at-period-1" });
  await world.pass(24 * dayMs);
  await cancelNow(cancelled.ctx, {
    subscriptionId: cancelled.subscriptionId,
    confirmName: "Status page",
    idempotencyKey: "cancel-1",
  });
  for (let days = 0; days < 12; days += 1) await world.pass(dayMs);
  expect(await listChurn(world.operator, {})).toEqual([
    { month: "2026-03", currency: "IDR", reason: "customer", subscriptions: 1, amountMinor: 60_000n },
    // One was stopped at once, the other after its days past due.
    { month: "2026-04", currency: "IDR", reason: "not_paid", subscriptions: 2, amountMinor: 172_361n },
    { month: "2026-04", currency: "IDR", reason: "not_renewed", subscriptions: 1, amountMinor: 50_694n },
  ]);
});

test("a price on trial does not count before it stands", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  await app.pay();
  await world.pass(dayMs);
  await app.resize("large");
  const now = world.core.clock.now();
  expect(await mrrAt(world, addMs(now, -1))).toBe(50_694n);
  expect(await mrrAt(world, now)).toBe(121_667n);
  await using owner = connectAsSuperuser(world.core.url);
  await owner.drizzle.execute(`alter table instance_changes disable trigger user;
    update instance_changes set status = 'executing', ended_at = null`);
  expect(await mrrAt(world, now)).toBe(50_694n);
});

test("a plan that begins with a period leaves what was brought before that as it was", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  const start = world.core.clock.now();
  await app.pay();
  await world.pass(dayMs);
  await app.schedule("tried");
  expect(await mrrAt(world, addMs(start, dayMs))).toBe(perMonth(50_000n, "P30D", 0));
  await world.pass(24 * dayMs);
  await app.pay();
  await world.pass(10 * dayMs);
  await app.resize("large");
  await world.pass(dayMs);
  const recurring = async (fromDays: number, toDays: number) =>
    (
      await getRecurringRevenue(world.operator, {
        from: addMs(start, fromDays * dayMs),
        to: addMs(start, toDays * dayMs),
      })
    )[0];
  const [small, tried, large] = [50_000n, 70_000n, 120_000n].map((minor) => perMonth(minor, "P30D", 0));
  expect(await recurring(1, 32)).toMatchObject({
    startMinor: small,
    expansionMinor: tried! - small!,
    endMinor: tried,
  });
  expect(await recurring(32, 36)).toMatchObject({
    startMinor: tried,
    expansionMinor: large! - tried!,
    endMinor: large,
  });
});

test("of changes at one moment the first says what the price was before", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "small" });
  await app.pay();
  await world.pass(dayMs);
  for (const plan of ["free", "large"] as const) await app.resize(plan);
  const now = world.core.clock.now();
  // Where the rows lie in the table says nothing.
  await using owner = connectAsSuperuser(world.core.url);
  await owner.drizzle.execute(`alter table instance_changes disable trigger user;
    create temporary table first on commit drop as select * from instance_changes order by id limit 1;
    delete from instance_changes where id in (select id from first); insert into instance_changes select * from first`);
  expect([await mrrAt(world, addMs(now, -1)), await mrrAt(world, now)]).toEqual([50_694n, 121_667n]);
});

test("the days past due count until they are over, whoever asks when", async () => {
  await using world = await givenWorld();
  const app = await world.rent({ plan: "large" });
  await app.pay();
  await world.pass(31 * dayMs);
  expect((await app.row()).status).toBe("past_due");
  const inBetween = world.core.clock.now();
  expect(await mrrAt(world, inBetween)).toBe(121_667n);
  await world.pass(hourMs);
  await cancelNow(app.ctx, {
    subscriptionId: app.subscriptionId,
    confirmName: "Status page",
    idempotencyKey: "cancel-1",
  });
  await world.pass(hourMs);
  expect(await mrrAt(world, world.core.clock.now())).toBe(0n);
  expect(await mrrAt(world, inBetween)).toBe(121_667n);
  expect(await listChurn(world.operator, {})).toMatchObject([
    { month: "2026-04", reason: "customer", subscriptions: 1, amountMinor: 121_667n },
  ]);
});

test("who lives on a test clock is in no figure, and nobody but an operator sees one", async () => {
  await using world = await givenWorld();
  const start = world.core.clock.now();
  const player = await world.rent({ plan: "large", testClock: true });
  await player.pay();
  await world.rent({ plan: "large", testClock: true });
  world.core.clock.set(addMs(start, 24 * dayMs));
  const { operator } = world;
  expect(await summariseRevenue(operator, {})).toEqual([]);
  expect(await getRecurringRevenue(operator, { from: start })).toEqual([]);
  expect(await listChurn(operator, {})).toEqual([]);
  expect(await listReceivables(operator, {})).toEqual({ buckets: [], items: [], nextCursor: null });
  expect(await listMargins(operator, {})).toEqual({ items: [], nextCursor: null });
  const until = addMs(start, 50 * dayMs);
  expect(await listUpcomingInvoices(operator, { until })).toEqual({ items: [], nextCursor: null });
  for (const ask of [
    summariseRevenue(player.ctx, {}),
    getRecurringRevenue(player.ctx, { from: start }),
    listChurn(player.ctx, {}),
    listReceivables(player.ctx, {}),
    listMargins(player.ctx, {}),
    listUpcomingInvoices(player.ctx, {}),
  ]) {
    await expect(ask).rejects.toMatchObject({ code: "FORBIDDEN" });
  }
});
