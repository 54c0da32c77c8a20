import { connectDatabase, databaseErrorOf } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { invoiceTaxes, operatorAuditEntries, orders } from "@sewa/db/schema";
import fc from "fast-check";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { updateOrganization } from "../accounts/index.ts";
import { listInvoices } from "../billing/index.ts";
import { booksChecks, checkBooks } from "../books/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { listBalances } from "../ledger/index.ts";
import { listOfferings } from "../catalog/index.ts";
import { placeOrder, quoteOrder } from "../orders/index.ts";
import { reconcileSubscription, recordPayment } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { createTaxRate, deriveTaxes, endTaxRate, listTaxRates, type TaxRateRow, toPercent } from "./index.ts";
import { toBasisPoints } from "./tax.ts";

const runs = 5_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const ppn = { name: "PPN", percent: "11", isInclusive: false } as const;

async function given() {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const customer = await givenCustomer(core.ctx);
  return {
    core,
    ...customer,
    newest: async () => (await listInvoices(customer.ctx, {})).items[0]!,
    balances: async () =>
      Object.fromEntries(
        (await customer.ctx.transaction((tx) => listBalances(tx))).map(({ kind, balanceMinor }) => [
          kind,
          balanceMinor,
        ]),
      ),
    async pay() {
      const {
        id: invoiceId,
        totalMinor: amountMinor,
        currency,
      } = (await listInvoices(customer.ctx, {})).items[0]!.invoice;
      const payment = { invoiceId, amountMinor, currency, reference: invoiceId, idempotencyKey: invoiceId };
      await recordPayment(core.ctx.forOrganization(customer.organizationId), payment);
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

const rateOf = (basisPoints: number, isInclusive: boolean): TaxRateRow => ({
  id: "00000000-0000-7000-8000-000000000001",
  name: "Tax",
  basisPoints,
  isInclusive,
  country: null,
  startsAt: new Date(0),
  endsAt: null,
  createdAt: new Date(0),
});

test(`F3 net and taxes are the total; each tax is within half a unit of its rate, a half goes up, and the order of rates is all the same (${runs} runs)`, () => {
  const inclusive = fc.array(fc.integer({ min: 1, max: 2_500 }), { maxLength: 4 });
  const exclusive = fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 15n), inclusive, exclusive, (linesMinor, contained, added) => {
      const rates = [
        ...contained.map((points) => rateOf(points, true)),
        ...added.map((points) => rateOf(points, false)),
      ];
      const { taxes, netMinor, taxMinor, addedMinor, totalMinor } = deriveTaxes(linesMinor, rates);
      expect(netMinor + taxMinor).toBe(totalMinor);
      expect(linesMinor + addedMinor).toBe(totalMinor);
      expect(netMinor).toBeGreaterThanOrEqual(0n);
      const whole = 10_000n + contained.reduce((sum, points) => sum + BigInt(points), 0n);
      for (const { basisPoints, isInclusive, amountMinor } of taxes) {
        const [exact, parts] = isInclusive
          ? [linesMinor * BigInt(basisPoints), whole]
          : [netMinor * BigInt(basisPoints), 10_000n];
        const distance = 2n * (amountMinor * parts - exact);
        expect(distance > -parts && distance <= parts).toBe(true);
        expect(amountMinor).toBeGreaterThanOrEqual(0n);
      }
      expect(deriveTaxes(linesMinor, rates.toReversed()).totalMinor).toBe(totalMinor);
    }),
    { numRuns: runs },
  );
  expect(deriveTaxes(50_000n, [rateOf(1_100, false)])).toMatchObject({
    netMinor: 50_000n,
    taxMinor: 5_500n,
    totalMinor: 55_500n,
  });
  expect(deriveTaxes(55_500n, [rateOf(1_100, true)])).toMatchObject({
    netMinor: 50_000n,
    taxMinor: 5_500n,
    totalMinor: 55_500n,
  });
  expect(deriveTaxes(50n, [rateOf(100, false)]).taxMinor).toBe(1n);
  expect(deriveTaxes(0n, [rateOf(100, false)])).toEqual({
    taxes: [],
    netMinor: 0n,
    taxMinor: 0n,
    addedMinor: 0n,
    totalMinor: 0n,
  });
});

test("inclusive rates that come to the price itself never take more than there is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.bigInt(1n, 60n), (count, linesMinor) => {
      const rates = Array.from({ length: count }, () => rateOf(Math.floor(10_000 / count), true));
      expect(deriveTaxes(linesMinor, rates).netMinor).toBeGreaterThanOrEqual(0n);
    }),
  );
});

test.each(["0", "0.001", "100.01", "-1", "11%", "", "1e1", "1000"])("%s is no percentage", (text) => {
  expect(() => toBasisPoints(text)).toThrow(/percentage/);
});

test("a percentage is written as it was given", () => {
  for (const text of ["11", "7.25", "0.01", "100", "2.5"]) expect(toPercent(toBasisPoints(text))).toBe(text);
});

test("an order is quoted, booked and paid with its tax; what the state gets is not earned", async () => {
  await using house = await given();
  await createTaxRate(house.core.ctx, ppn);
  const { subscription } = await givenOrder(house.ctx, { plan: "small" });
  expect(await house.core.database.drizzle.select().from(orders)).toMatchObject([
    { totalMinor: 55_500n, taxMinor: 5_500n },
  ]);
  expect(subscription.subscription.amountMinor).toBe(50_000n);
  expect(await house.newest()).toMatchObject({
    invoice: { totalMinor: 55_500n, taxMinor: 5_500n },
    taxes: [{ name: "PPN", basisPoints: 1_100, baseMinor: 50_000n, amountMinor: 5_500n }],
  });
  expect(await house.balances()).toEqual({ receivable: 55_500n, revenue: 50_000n, tax_payable: 5_500n });
  await house.pay();
  expect(await house.balances()).toEqual({ receivable: 0n, cash: 55_500n, revenue: 50_000n, tax_payable: 5_500n });
});

test("taken back, the tax goes with it; written off, it stays due; given back, it is given back", async () => {
  await using house = await given();
  await createTaxRate(house.core.ctx, ppn);
  const { subscription } = await givenOrder(house.ctx, { plan: "small" });
  const { id } = subscription.subscription;
  const after = async (days: number): Promise<void> => {
    house.core.clock.set(addMs(house.core.clock.now(), days * dayMs));
    await reconcileSubscription(house.core.ctx, id);
  };
  await house.pay();
  await provisionOnce(house.core.ctx, subscription.instanceId);
  await house.core.database.drizzle.execute("update subscriptions set past_due_days = 3");
  for (const days of [25, 5, 3]) await after(days);
  expect(await house.balances()).toEqual({
    receivable: 0n,
    cash: 55_500n,
    revenue: 100_000n,
    tax_payable: 11_000n,
    bad_debt: 55_500n,
  });

  await using other = await given();
  await createTaxRate(other.core.ctx, ppn);
  const order = await givenOrder(other.ctx, { plan: "small" });
  other.core.clock.set(addMs(other.core.clock.now(), 2 * dayMs));
  await reconcileSubscription(other.core.ctx, order.subscription.subscription.id);
  expect(await other.balances()).toEqual({ receivable: 0n, revenue: 0n, tax_payable: 0n });

  await using failed = await given();
  await createTaxRate(failed.core.ctx, ppn);
  const { subscription: never } = await givenOrder(failed.ctx, { plan: "small" });
  await failed.pay();
  await failed.core.database.drizzle.execute("update operations set deadline_at = '2026-01-01'");
  await failOverdueOperations(failed.core.ctx);
  await reconcileSubscription(failed.core.ctx, never.subscription.id);
  expect(await failed.balances()).toEqual({ receivable: 0n, cash: 0n, revenue: 0n, tax_payable: 0n });
});

test("what was opened keeps its tax; what is opened after the end of a rate has none", async () => {
  await using house = await given();
  const { id: taxRateId } = await createTaxRate(house.core.ctx, ppn);
  await givenOrder(house.ctx, { plan: "small" });
  const { invoice } = await house.newest();
  await endTaxRate(house.core.ctx, { taxRateId });
  await expect(endTaxRate(house.core.ctx, { taxRateId })).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  await givenOrder(house.ctx, { plan: "small", name: "Second" });
  expect(await house.newest()).toMatchObject({ invoice: { totalMinor: 50_000n, taxMinor: 0n }, taxes: [] });
  const kept = (await listInvoices(house.ctx, {})).items.find((view) => view.invoice.id === invoice.id);
  expect(kept).toMatchObject({ invoice: { totalMinor: 55_500n }, taxes: [{ name: "PPN" }] });
  expect((await house.core.database.drizzle.select().from(operatorAuditEntries)).map(({ action }) => action)).toEqual(
    expect.arrayContaining(["tax.created", "tax.ended"]),
  );
});

test("a quote from before a tax is refused when it is ordered, and a tax of another country does not hold", async () => {
  await using house = await given();
  const plan = (await listOfferings(house.ctx, {})).items
    .flatMap(({ plans }) => plans)
    .find(({ slug }) => slug === "small")!;
  const quote = () => quoteOrder(house.ctx, { planId: plan.id, parameters: {} });
  const before = await quote();
  await createTaxRate(house.core.ctx, { ...ppn, country: "ID" });
  expect((await quote()).total).toEqual(before.total);
  await updateOrganization(house.ctx, { country: "ID" });
  expect(await quote()).toMatchObject({ total: { amountMinor: 55_500n }, taxes: [{ amountMinor: 5_500n }] });
  const order = {
    planId: plan.id,
    parameters: {},
    name: "Status page",
    priceKey: before.priceKey,
    idempotencyKey: "order-001",
  };
  await expect(placeOrder(house.ctx, order)).rejects.toMatchObject({ code: "PRICE_CHANGED" });
});

test("a tax is not charged twice at once, not before today, and only operators set it", async () => {
  await using house = await given();
  const { core } = house;
  await createTaxRate(core.ctx, ppn);
  await expect(createTaxRate(core.ctx, { ...ppn, percent: "12" })).rejects.toMatchObject({ code: "CONFLICT" });
  const early = addMs(core.clock.now(), -1);
  await expect(createTaxRate(core.ctx, { ...ppn, name: "Levy", startsAt: early })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
  await expect(createTaxRate(house.ctx, { ...ppn, name: "Mine" })).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(endTaxRate(core.ctx, { taxRateId: core.ctx.ids.next() })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await createTaxRate(core.ctx, { name: "A", percent: "60", isInclusive: true });
  await expect(createTaxRate(core.ctx, { name: "B", percent: "41", isInclusive: true })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
  expect((await listTaxRates(core.ctx, { limit: 1 })).items).toMatchObject([{ name: "A" }]);
  for (const role of ["sewa_app", "sewa_worker"] as const) {
    await using database = connectDatabase({ url: core.url, role, max: 1 });
    const error: unknown = await database.drizzle
      .execute("update tax_rates set basis_points = 1")
      .catch((refused: unknown) => refused);
    expect([role, databaseErrorOf(error)?.code]).toEqual([role, "23000"]);
  }
});

test("the books see a tax that is not its rate, and one that the total does not hold", async () => {
  const house = await given();
  await createTaxRate(house.core.ctx, { ...ppn, isInclusive: true });
  await createTaxRate(house.core.ctx, { name: "Levy", percent: "2.75", isInclusive: false });
  await givenOrder(house.ctx, { plan: "small" });
  expect(await checkBooks(house.core.ctx)).toEqual([]);
  await using owner = connectAsSuperuser(house.core.url);
  const undo = new Error("undo");
  for (const [id, change] of [
    ["M09", { amountMinor: 1n }],
    ["M10", { amountMinor: 1n }],
    ["M10", { basisPoints: 1_200 }],
    ["M10", { baseMinor: 49_999n }],
  ] as const) {
    const check = booksChecks.find((each) => each.id === id)!;
    const attempt = owner.drizzle.transaction(async (transaction) => {
      await transaction.update(invoiceTaxes).set(change);
      expect(
        await transaction.execute(check.rows({ now: house.core.clock.now(), within: () => sql`true` })),
      ).not.toHaveLength(0);
      throw undo;
    });
    await expect(attempt).rejects.toBe(undo);
  }
  await house[Symbol.asyncDispose]();
});
