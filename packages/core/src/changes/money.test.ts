import { randomInt } from "node:crypto";
import { billingPeriods, invoices, notifications, refunds, usageTerms } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { giveRefund, listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { failOverdueOperations, restartInstance } from "../instances/index.ts";
import { prorate } from "../money.ts";
import { reconcileSubscription, recordPayment, renewSubscription } from "../subscriptions/index.ts";
import { createTaxRate } from "../taxes/index.ts";
import { changePlan, type ChangeView, previewPlanChange, reconcileChange, sweepChanges } from "./index.ts";
import { after, applyPlans, givenApp, paidApp, pay, type TestApp, usualPlans, usualPreview } from "./test-changes.ts";

const runs = 5_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

async function carryOut(app: TestApp, plan: ChangeView): Promise<void> {
  await app.look(plan.change.id);
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
}

const mails = async (app: TestApp): Promise<readonly string[]> =>
  (await app.core.database.drizzle.select().from(notifications)).map(({ kind }) => kind);

/** What its owner is told when a change comes to nothing: whether money went back. */
const notMade = async (app: TestApp): Promise<readonly unknown[]> =>
  (await app.core.database.drizzle.select().from(notifications)).flatMap(({ kind, data }) =>
    kind === "change_not_made" ? [(data as { readonly isRefunded: boolean }).isRefunded] : [],
  );

const given = async (app: TestApp): Promise<readonly bigint[]> =>
  (await app.core.database.drizzle.select().from(refunds)).map(({ amountMinor }) => amountMinor);

test(`F3 a share is rounded once and half up, is never more than the whole, and does not fall when its part grows (${runs} runs)`, () => {
  const whole = fc.bigInt(1n, 10n ** 13n);
  const amount = fc.bigInt(0n, 10n ** 15n);
  fc.assert(
    fc.property(amount, whole, fc.double({ min: 0, max: 1, noNaN: true }), (amountMinor, all, share) => {
      const part = (all * BigInt(Math.floor(share * 1e9))) / 10n ** 9n;
      const rounded = prorate(amountMinor, part, all);
      // Within half a unit of the exact share; exactly half of one goes up.
      const distance = 2n * (rounded * all - amountMinor * part);
      expect(distance > -all && distance <= all).toBe(true);
      expect(rounded).toBeLessThanOrEqual(amountMinor);
      expect(prorate(amountMinor, part === all ? part : part + 1n, all)).toBeGreaterThanOrEqual(rounded);
    }),
    { numRuns: runs },
  );
  expect(prorate(5n, 1n, 2n)).toBe(3n);
  expect(prorate(70_000n, 0n, 7n)).toBe(0n);
  expect(prorate(70_000n, 7n, 7n)).toBe(70_000n);
});

test("what the plan says is what the invoice asks for, at any moment of the period; the next period costs the new price", async () => {
  const seed = randomInt(2 ** 31);
  await using first = await givenApp();
  for (let round = 0; round < 6; round += 1) {
    await using app = await paidApp("small", first.core);
    const { currentPeriodStart: start, currentPeriodEnd: end } = await app.subscription();
    // Up to the day before the next period is asked for.
    const at = addMs(start!, (seed * (round + 1) * 7_919) % (22 * dayMs));
    app.core.clock.set(at);

    const plan = await app.resize("large");
    const share = ((120_000 - 50_000) * (end!.getTime() - at.getTime())) / (end!.getTime() - start!.getTime());
    expect({ seed, due: plan.change.dueMinor }).toEqual({ seed, due: BigInt(Math.round(share)) });
    expect((await app.approve(plan)).change.status).toBe("awaiting_payment");
    expect((await app.invoices()).at(-1)).toBe(`change open ${plan.change.dueMinor}`);
    expect((await app.instance()).planId).toBe(plan.before.planId);

    await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    await carryOut(app, plan);
    expect(await app.changes()).toEqual(["resize executed"]);
    const periods = app.core.database.drizzle
      .select()
      .from(billingPeriods)
      .where(eq(billingPeriods.subscriptionId, app.subscriptionId));
    expect(await periods).toMatchObject([{ startsAt: start, endsAt: end }]);
    await after(app, end!.getTime() - at.getTime() - 6 * dayMs);
    expect((await app.invoices()).at(-1)).toBe("renewal open 120000");
    app.core.clock.set(start!);
  }
  expect(await first.pool()).toEqual([100 + 6 * 1_000, 256 + 6 * 2_048]);
});

test("its tax is part of what the plan says is due, of what is asked for and of what goes back", async () => {
  await using app = await paidApp("small");
  await createTaxRate(app.core.ctx, { name: "PPN", percent: "11", isInclusive: false });
  const plan = await app.resize("large");
  expect(plan.change).toMatchObject({ dueMinor: 70_000n, addedTaxMinor: 7_700n });
  await app.approve(plan);
  expect((await app.invoices()).at(-1)).toBe("change open 77700");
  await pay(app);
  await reconcileChange(app.core.ctx, app.instanceId);
  await app.look(plan.change.id, { ...usualPreview, worldHash: "another world" });
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await given(app)).toEqual([77_700n]);
});

test("so late in the period that the share is nothing, it is paid at once, on the way of all money", async () => {
  await using app = await paidApp("small");
  const { currentPeriodEnd: end } = await app.subscription();
  app.core.clock.set(addMs(end!, -1));
  const plan = await app.resize("large");
  expect(plan.change.dueMinor).toBe(0n);
  expect((await app.approve(plan)).change.status).toBe("approved");
  expect((await app.invoices()).at(-1)).toBe("change paid 0");
});

describe("a dearer plan", () => {
  test("holds its room while it waits for its money, tells what is due, and is what its owner sees on the invoice", async () => {
    await using app = await paidApp("small");
    const plan = await app.resize("large");
    const { change } = await app.approve(plan);
    expect(await app.held()).toEqual([1_000, 2_048]);
    expect(change.expiresAt).toEqual(addMs(app.core.clock.now(), 24 * hourMs));
    expect(await mails(app)).toContain("change_payment_due");
    // A look that settles the app in the meantime takes nothing of it away.
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.held()).toEqual([1_000, 2_048]);
  });

  test("keeps its room when another plan of the app that nobody approved ends", async () => {
    await using app = await paidApp("small");
    const [plan, other] = [await app.resize("large"), await app.resize("roomy")];
    await app.approve(plan);
    app.core.clock.set(addMs(app.core.clock.now(), 15 * minuteMs));
    await reconcileChange(app.core.ctx, app.instanceId);
    expect((await app.change(other.change.id)).change).toMatchObject({ status: "expired", reason: "NOT_APPROVED" });
    expect((await app.change(plan.change.id)).change.status).toBe("awaiting_payment");
    expect(await app.held()).toEqual([1_000, 2_048]);
  });

  test("that is not paid in time comes to nothing: invoice void, room back, and late money is not taken", async () => {
    await using app = await paidApp("small");
    const plan = await app.resize("large");
    await app.approve(plan);
    app.core.clock.set(addMs(app.core.clock.now(), 24 * hourMs));
    expect((await sweepChanges(app.core.ctx)).due).toBe(1);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["resize expired NOT_PAID"]);
    expect((await app.invoices()).at(-1)).toMatch(/^change void/);
    expect(await app.held()).toEqual([250, 512]);
    expect(await notMade(app)).toEqual([false]);
    const [, invoice] = await app.core.database.drizzle.select().from(invoices).orderBy(asc(invoices.id));
    const late = recordPayment(app.core.ctx.forOrganization(invoice!.organizationId), {
      invoiceId: invoice!.id,
      amountMinor: invoice!.totalMinor,
      currency: "IDR",
      reference: "BANK-LATE",
      idempotencyKey: "late-0001",
    });
    await expect(late).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    expect((await app.instance()).planId).toBe(plan.before.planId);
  });

  test("whose money finds another world than it was planned with gives the money back", async () => {
    await using app = await paidApp("small");
    const plan = await app.resize("large");
    await app.approve(plan);
    await restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart1" });
    await app.provision();
    await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect((await app.look(plan.change.id)).change).toMatchObject({ status: "refused", reason: "PLAN_STALE" });
    expect(await given(app)).toEqual([plan.change.dueMinor]);
    expect(await notMade(app)).toEqual([true]);
    expect(await app.subscription()).toMatchObject({ planId: plan.before.planId, amountMinor: 50_000n });
    expect(await app.held()).toEqual([250, 512]);
  });

  test("that does not come up gives money and price back", async () => {
    await using app = await paidApp("small");
    const plan = await app.resize("large");
    await app.approve(plan);
    await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    await app.look(plan.change.id);
    expect((await app.subscription()).amountMinor).toBe(120_000n);
    app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
    await failOverdueOperations(app.core.ctx);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["resize failed OPERATION_FAILED"]);
    expect(await given(app)).toEqual([plan.change.dueMinor]);
    expect(await notMade(app)).toEqual([true]);
    expect(await app.subscription()).toMatchObject({ planId: plan.before.planId, amountMinor: 50_000n });
  });

  test("has to be paid before the next period is asked for at the old price", async () => {
    await using app = await paidApp("small");
    const { currentPeriodEnd: end } = await app.subscription();
    app.core.clock.set(addMs(end!, -7 * dayMs - hourMs));
    const { change } = await app.approve(await app.resize("large"));
    expect(change.expiresAt).toEqual(addMs(end!, -7 * dayMs));
  });

  test("cannot be had once the next period is paid at the old price", async () => {
    await using app = await paidApp("small");
    const { currentPeriodEnd: end } = await app.subscription();
    await after(app, end!.getTime() - app.core.clock.now().getTime() - 6 * dayMs);
    await pay(app);
    await expect(app.resize("large")).rejects.toMatchObject({ code: "ALREADY_RENEWED" });
  });

  test("planned in one period is not carried out in the next, however late the sweep is", async () => {
    await using app = await paidApp("small");
    const { currentPeriodEnd: end } = await app.subscription();
    app.core.clock.set(addMs(end!, -minuteMs));
    const plan = await app.resize("large");
    app.core.clock.set(end!);
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "PLAN_STALE" });
  });

  test("that the app expires under is not asked for any more", async () => {
    await using app = await paidApp("small");
    const { currentPeriodEnd: end } = await app.subscription();
    app.core.clock.set(addMs(end!, -hourMs));
    await app.approve(await app.resize("large"));
    await after(app, 2 * hourMs);
    expect((await app.subscription()).status).toBe("expired");
    expect(await app.changes()).toEqual(["resize expired SUPERSEDED"]);
    expect((await app.invoices()).filter((line) => line.includes("open"))).toEqual([]);
  });
});

test("a cheaper plan gives nothing back for the period that runs, and the open renewal is asked for anew at its price", async () => {
  await using app = await paidApp("small");
  const { currentPeriodEnd: end } = await app.subscription();
  await after(app, end!.getTime() - app.core.clock.now().getTime() - 6 * dayMs);
  const plan = await app.resize("free");
  expect(plan.change).toMatchObject({ dueMinor: 0n, amountBeforeMinor: 50_000n, amountAfterMinor: 0n });
  expect(plan.effects?.warnings).toEqual(
    expect.arrayContaining(["VOLUME_CANNOT_SHRINK", "NOTHING_REFUNDED", "RENEWAL_REOPENED"]),
  );
  await app.approve(plan);
  await carryOut(app, plan);
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal void 50000", "renewal open 0"]);
  expect(await given(app)).toEqual([]);
});

test("who goes up, down and up again in a period pays once for the same time: only beyond what was paid up to, and anew in the next period", async () => {
  const plans = [...usualPlans, { slug: "huge", amount: "200000", cpu: "1", memory: "2Gi", storage: "4Gi" }];
  await using app = await paidApp("small", undefined, plans);
  const { currentPeriodStart: start, currentPeriodEnd: end } = await app.subscription();
  const resize = async (plan: string): Promise<bigint> => {
    const { change, ...view } = await app.resize(plan);
    await app.approve({ change, ...view });
    if (change.dueMinor > 0n) await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    await carryOut(app, { change, ...view });
    return change.dueMinor;
  };
  const at = (days: number): void => app.core.clock.set(addMs(start!, days * dayMs));
  const rest = (differenceMinor: bigint, days: bigint): bigint => (differenceMinor * (30n - days) * 10n + 150n) / 300n;

  at(1);
  expect(await resize("free")).toBe(0n);
  at(2);
  expect(await resize("small")).toBe(0n);
  at(3);
  expect(await resize("large")).toBe(rest(70_000n, 3n));
  at(6);
  expect(await resize("small")).toBe(0n);
  at(9);
  expect(await resize("large")).toBe(0n);
  at(12);
  expect(await resize("huge")).toBe(rest(80_000n, 12n));
  at(15);
  expect(await resize("free")).toBe(0n);
  at(16);
  // Given back, a step counts no more.
  const [payment] = (await listInvoices(app.ctx, {})).items.find(
    ({ invoice }) => invoice.totalMinor === rest(80_000n, 12n),
  )!.payments;
  const sorry = { target: "wallet", reason: "It was slow.", idempotencyKey: "sorry" } as const;
  const operator = app.core.ctx.forOrganization(payment!.organizationId);
  await giveRefund(operator, { paymentId: payment!.id, amountMinor: 1n, currency: "IDR", ...sorry });
  expect(await resize("large")).toBe(0n);
  expect(await resize("huge")).toBe(rest(80_000n, 16n));
  expect(await resize("small")).toBe(0n);

  // The next period is another one.
  await after(app, addMs(end!, -6 * dayMs).getTime() - app.core.clock.now().getTime());
  await pay(app);
  await after(app, 7 * dayMs);
  expect((await app.subscription()).currentPeriodStart).toEqual(end);
  expect(await resize("large")).toBe(rest(70_000n, 1n));
});

test("a removal says what it gives back: the next period, which was paid, and nothing of the one that runs", async () => {
  await using app = await paidApp("small");
  const { currentPeriodEnd: end } = await app.subscription();
  await after(app, end!.getTime() - app.core.clock.now().getTime() - 6 * dayMs);
  await pay(app);
  const plan = await app.planned({ kind: "deprovision" });
  expect(plan.effects?.warnings).toEqual(["NOTHING_REFUNDED", "NEXT_PERIOD_REFUNDED"]);
  await app.approve(plan, { confirmName: "Status page" });
  await app.look(plan.change.id);
  expect(await given(app)).toEqual([50_000n]);
});

test("the next period can neither be asked for nor be paid at a price that may still be taken back", async () => {
  await using app = await paidApp("small");
  const { currentPeriodEnd: end } = await app.subscription();
  await after(app, end!.getTime() - app.core.clock.now().getTime() - 6 * dayMs);
  const plan = await app.resize("free");
  await app.approve(plan);
  await app.look(plan.change.id);
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal void 50000"]);
  const renewed = renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-001" });
  await expect(renewed).rejects.toMatchObject({ code: "OPERATION_IN_PROGRESS" });

  // So small that it does not come up: nobody gets a month of the former plan for nothing.
  app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
  await failOverdueOperations(app.core.ctx);
  await reconcileChange(app.core.ctx, app.instanceId);
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  expect(await app.changes()).toEqual(["resize failed OPERATION_FAILED"]);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal void 50000", "renewal open 50000"]);
});

test("a parameter that costs is charged like a plan: for the rest of the period now, and wholly from the next one on", async () => {
  await using app = await givenApp();
  await applyPlans(app.core.ctx, {
    blueprint: (source) => `${source
      .replace(
        "    default: Asia/Jakarta",
        "    default: Asia/Jakarta\n  - name: support\n    type: string\n    default: none\n    allowedValues: [{ value: none }, { value: phone }]",
      )
      .trimEnd()}

prices:
  - { target: "\${parameters.support}", test: none, amount: "0" }
  - { label: Support, target: "\${parameters.support}", test: phone, amount: "30000" }
`,
  });
  await using rich = await paidApp("free", app.core);
  const plan = await rich.planned({ kind: "update", parameters: { support: "phone" } });
  expect(plan.change).toMatchObject({ amountBeforeMinor: 0n, amountAfterMinor: 30_000n, dueMinor: 30_000n });
  await rich.approve(plan);
  await pay(rich);
  await reconcileChange(app.core.ctx, rich.instanceId);
  await carryOut(rich, plan);
  expect(await rich.changes()).toEqual(["update executed"]);
  expect(await rich.subscription()).toMatchObject({ planId: plan.before.planId, amountMinor: 30_000n });
  await renewSubscription(rich.ctx, { subscriptionId: rich.subscriptionId, idempotencyKey: "renew-0001" });
  const [renewal] = (await listInvoices(rich.ctx, { subscriptionId: rich.subscriptionId })).items;
  expect(renewal!.lines.map(({ kind, description, amountMinor }) => [kind, description, amountMinor])).toEqual([
    ["plan", "Uptime Kuma, free", 0n],
    ["parameter", "Support", 30_000n],
  ]);
});

test("use is charged at the former price while a change is on trial, and at the new one once it stands", async () => {
  await using app = await paidApp("free");
  const { drizzle } = app.core.database;
  const prices = async () =>
    (await drizzle.select().from(usageTerms).orderBy(asc(usageTerms.startsAt))).map(({ priceId }) => priceId);
  const [free, roomy] = [(await app.plan("free")).price!.id, (await app.plan("roomy")).price!.id];
  app.core.clock.set(addMs(app.core.clock.now(), hourMs));
  const plan = await app.resize("roomy");
  await app.approve(plan);
  await app.look(plan.change.id);
  expect(await prices()).toEqual([free]);
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.changes()).toEqual(["resize executed"]);
  expect(await prices()).toEqual([free, roomy]);
});

test("use is charged at the price of a plan from the period on that began with it, however late that is noticed", async () => {
  await using app = await paidApp("small");
  const { ctx, subscriptionId } = app;
  const free = await app.plan("free");
  const choice = { subscriptionId, planId: free.id, moment: "period_end" } as const;
  const { at, priceKey } = await previewPlanChange(ctx, choice);
  await changePlan(ctx, { ...choice, at, priceKey, idempotencyKey: "change-0001" });
  await renewSubscription(ctx, { subscriptionId, idempotencyKey: "renew-0001" });
  const end = (await app.subscription()).currentPeriodEnd;
  await after(app, 33 * dayMs);
  expect(await app.subscription()).toMatchObject({ status: "active", currentPeriodStart: end, planId: free.id });
  const terms = await app.core.database.drizzle.select().from(usageTerms).orderBy(asc(usageTerms.startsAt));
  expect(terms.slice(1)).toMatchObject([{ startsAt: end, priceId: free.price!.id }]);
});
