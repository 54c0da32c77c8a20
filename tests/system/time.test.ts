import type { RouterOutputs } from "@sewa/api";
import { applyShippedCatalog, withCore } from "@sewa/dev";
import { testCards } from "@sewa/devgateway";
import { createServerLog, readEnv, startServer, toServerOptions } from "@sewa/server";
import { expect, test } from "vitest";
import { toUuid } from "./faults/life.ts";
import { type Customer, type House, isUp, order, reached, startHouse, until } from "./house.ts";
import { sewa } from "./inventory-world.ts";
import { ended, expectOneTruth, openCheckout, orderDear, referenceOf } from "./payments/house.ts";

type Invoice = RouterOutputs["invoices"]["get"];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The plan that costs 50,000 a period has ten core-hours in it; each further one is 500, and an hour of running is one. */
const fixed = `prices: [{ currency: IDR, amount: "50000" }]`;
const byUse = `prices:
          - currency: IDR
            amount: "50000"
            usage: [{ meter: cpu, amount: "500", included: "10" }, { meter: running, amount: "1" }]`;
const cpuMillis = 50;
const coreHour = 3_600_000n;

/** The clock is where it was sent. */
async function arrived({ api }: Customer): Promise<Date> {
  return until(
    "the clock has arrived",
    async () => {
      const { now, target } = await api.clock.get.query();
      return now.getTime() === target.getTime() ? now : null;
    },
    120_000,
  );
}

/** Each hour that was recorded of a meter, once. */
async function recordedOf(house: House, subscriptionId: string, meter: string) {
  const rows = await withCore(house.parts, (ctx) =>
    ctx.db.drizzle.execute<{ hour: string; quantity: string; billed: boolean }>(
      `select extract(epoch from hour_at)::bigint::text as hour, sum(quantity)::text as quantity,
         bool_and(invoice_line_id is not null) as billed
       from usage_records where subscription_id = '${toUuid("subscription", subscriptionId)}' and meter = '${meter}'
       group by hour_at order by hour_at`,
    ),
  );
  return rows.map(({ hour, quantity, billed }) => ({
    atMs: Number(hour) * 1_000,
    quantity: BigInt(quantity),
    billed,
  }));
}

/**
 * Every hour from the first whole one on was measured and recorded, the lines ask for each record once and say the same, and a period
 * has its allowance once. Up to `endMs` nothing is left unasked.
 */
async function expectMeasured(
  house: House,
  subscriptionId: string,
  invoices: readonly Invoice[],
  start: Date,
  endMs?: number,
): Promise<void> {
  const recorded = await recordedOf(house, subscriptionId, "cpu");
  const firstMs = Math.ceil(start.getTime() / hourMs) * hourMs;
  expect(recorded[0]?.atMs).toBeLessThanOrEqual(firstMs + hourMs);
  expect(recorded.map(({ atMs }) => atMs)).toEqual(recorded.map((_, index) => recorded[0]!.atMs + index * hourMs));
  expect(new Set(recorded.map(({ quantity }) => quantity))).toEqual(new Set([BigInt(cpuMillis) * 3_600n]));
  const billed = recorded.filter((hour) => hour.billed);
  const lines = linesOf(invoices, "cpu");
  expect(sumOf(lines)).toBe(sumOf(billed));
  expect(sumOf(linesOf(invoices, "running"))).toBe(BigInt(billed.length) * 3_600n);
  for (const invoice of invoices.slice(1)) expect(sumOf(linesOf([invoice], "cpu"))).toBeGreaterThan(0n);
  for (const { quantity, includedQuantity, amount } of lines) {
    const beyond = quantity > includedQuantity ? quantity - includedQuantity : 0n;
    expect(amount.amountMinor).toBe((beyond * 500n * 2n + coreHour) / (coreHour * 2n));
  }
  if (endMs === undefined) return;
  expect(recorded.every((hour) => hour.billed)).toBe(true);
  expect(recorded.at(-1)!.atMs).toBe(Math.floor(endMs / hourMs) * hourMs - hourMs);
}

/** What was written to the customer, in its order. */
async function mailsOf(house: House, { email }: Customer): Promise<readonly string[]> {
  const rows = await withCore(house.parts, (ctx) =>
    ctx.db.drizzle.execute<{ kind: string }>(
      `select n.kind from notifications n join users u on u.id = n.user_id where u.email = '${email}' order by n.id`,
    ),
  );
  return rows.map(({ kind }) => kind);
}

const linesOf = (invoices: readonly Invoice[], meter: string) =>
  invoices.flatMap(({ lines }) => lines).filter(({ usage }) => usage?.meter === meter);
const sumOf = (rows: readonly { readonly quantity: bigint }[]): bigint =>
  rows.reduce((sum, { quantity }) => sum + quantity, 0n);

async function invoicesOf({ api }: Customer): Promise<readonly Invoice[]> {
  const { items } = await api.invoices.list.query({ limit: 100 });
  return (await Promise.all(items.map(({ id }) => api.invoices.get.query({ invoiceId: id })))).toReversed();
}

/** A paid app whose use costs something, which is renewed from a saved card, and runs. */
async function rentByUse(house: House, client: Customer) {
  const { api } = client;
  const bought = await orderDear(client);
  const payment = await openCheckout(client, bought.invoiceId, true);
  house.parts.gateway.pay(referenceOf(payment), { type: "card", number: testCards.succeeds.number });
  await ended(client, payment);
  const [method] = (await api.payments.listMethods.query({})).items;
  await api.payments.setAutomatic.mutate({ methodId: method!.id, isAutomatic: true });
  await reached(client, bought.instanceId, isUp);
  return { ...bought, methodId: method!.id };
}

test(
  "sixteen months of an app that is charged by use: each period billed once with what was measured, then unpaid to its end, and a neighbour stays in the present",
  { timeout: 240_000 },
  async () => {
    await using house = await startHouse();
    await withCore(house.parts, (ctx) => applyShippedCatalog(ctx, (text) => text.replace(fixed, byUse)));
    house.parts.devcluster!.metrics.setUsage("uptime-kuma", { cpuMillis });
    await using traveller = await house.customer();
    const variables = readEnv({ ...house.parts.env, TEST_CLOCKS: "false", LOG_LEVEL: "fatal" });
    await using present = await startServer(toServerOptions(variables, createServerLog({ level: "fatal" })));
    await using neighbour = await house.customer(present);
    const theirs = await order(neighbour);
    await reached(neighbour, theirs.subscription.instanceId, isUp);
    const { api } = traveller;
    const { subscriptionId, instanceId, methodId } = await rentByUse(house, traveller);
    const { currentPeriodStart: start } = await api.subscriptions.get.query({ subscriptionId });

    // Thirteen months are 395 to 397 days: into the fourteenth period of thirty.
    const { organization } = await api.auth.me.query();
    expect(await sewa(house, ["clock", "advance", organization.id, "13", "months", "--no-wait"])).toMatchObject({
      code: 0,
    });
    const inThirteenMonths = await arrived(traveller);
    expect(inThirteenMonths.getTime() - start!.getTime()).toBeGreaterThan(394 * dayMs);
    const running = await api.subscriptions.get.query({ subscriptionId });
    expect(running).toMatchObject({ status: "active" });
    const paid = await invoicesOf(traveller);
    expect(paid.map(({ status, reason }) => `${reason} ${status}`)).toEqual([
      "order paid",
      ...Array<string>(13).fill("renewal paid"),
    ]);
    // They tile: each period is asked for once, and begins where the one before it ends.
    const renewals = paid.slice(1);
    expect(renewals.map(({ periodStart }) => periodStart)).toEqual(
      renewals.map((_, index) => new Date(start!.getTime() + (index + 1) * 30 * dayMs)),
    );
    expect(house.parts.gateway.payments().map(({ state }) => state)).toEqual(Array(14).fill("succeeded"));
    await expectMeasured(house, subscriptionId, paid, start!);

    expect(await neighbour.api.clock.get.query()).toMatchObject({ kind: "real" });
    const [onlyInvoice, ...others] = await invoicesOf(neighbour);
    expect([onlyInvoice?.reason, others]).toEqual(["order", []]);
    const stays = await neighbour.api.subscriptions.get.query({ subscriptionId: theirs.subscription.id });
    expect(stays).toMatchObject({ status: "active", currentPeriodEnd: theirs.subscription.currentPeriodEnd });

    await api.payments.setAutomatic.mutate({ methodId, isAutomatic: false });
    const to = new Date(inThirteenMonths.getTime() + 92 * dayMs);
    await api.clock.advance.mutate({ to });
    expect(await arrived(traveller)).toEqual(to);
    const gone = await api.subscriptions.get.query({ subscriptionId });
    expect(gone).toMatchObject({
      status: "cancelled",
      cancelReason: "grace_over",
      purgedAt: expect.any(Date) as Date,
    });
    const expiredAt = start!.getTime() + 14 * 30 * dayMs;
    expect([gone.expiredAt, gone.cancelledAt]).toEqual([new Date(expiredAt), new Date(expiredAt + 30 * dayMs)]);
    expect(await mailsOf(house, traveller)).toEqual([
      "verify_email",
      "app_ready",
      "payment_due",
      "app_expiring",
      "app_expiring",
      "app_expired",
      "app_deletion_soon",
      "app_deletion_soon",
      "app_deleted",
      "usage_due",
    ]);
    const left = house.parts.devcluster!.objects("Namespace").map(({ metadata }) => metadata.name);
    expect(left).not.toContain(`sewa-${toUuid("instance", instanceId)}`);
    expect(left).toContain(`sewa-${toUuid("instance", theirs.subscription.instanceId)}`);
    const all = await invoicesOf(traveller);
    expect(all.slice(14).map(({ status, reason }) => `${reason} ${status}`)).toEqual([
      "renewal void",
      "usage uncollectible",
    ]);
    const standing = all.filter(({ status }) => status !== "void");
    await expectMeasured(house, subscriptionId, standing, start!, expiredAt);
    await expectOneTruth(house);
  },
);
