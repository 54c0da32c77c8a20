import { paymentIntents, payments } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { parkOrganization } from "../accounts/index.ts";
import { checkBooks, unpark } from "../books/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { cancelNow } from "../subscriptions/index.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import { lookAfterEndMs } from "./intent.ts";
import { getPayment, type PaymentProvider, receiveNotice, reconcilePayment, sweepPayments } from "./index.ts";

const looksOf = ({ gateway }: PayingCustomer, id: string) => gateway.calls.filter((call) => call === `cancel ${id}`);
const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0);

/** A checkout that nobody has paid in time; it has ended here and at the gateway. */
async function expired(app: PayingCustomer): Promise<string> {
  const { id } = await app.start();
  await app.work();
  app.gateway.expire(id);
  await app.after(minuteMs);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "expired", looks: 0 });
  return id;
}

/** Time passes as the sweep sees it, which comes often enough. */
async function pass(app: PayingCustomer, ms: number): Promise<void> {
  const stepMs = Math.min(ms, 6 * hourMs);
  for (let passed = 0; passed < ms; passed += stepMs) await app.after(stepMs);
}

test("money that comes after a payment has ended is found without a notice, hours, days or almost two weeks later, and pays what it was for", async () => {
  for (const waitMs of [5 * minuteMs, 5 * hourMs, 2 * dayMs, 6 * dayMs, 13 * dayMs]) {
    await using app = await givenPayingCustomer();
    const id = await expired(app);
    await pass(app, waitMs);
    app.gateway.pay(id);
    await pass(app, 15 * dayMs - waitMs);
    expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded", receivedMinor: 50_000n });
    // The order was given up after a day; what came before that made an app.
    const isInTime = waitMs < dayMs;
    const { revenue, cash, wallet = 0n } = await app.balances();
    expect([waitMs, revenue, cash, wallet]).toEqual([
      waitMs,
      isInTime ? 50_000n : 0n,
      50_000n,
      isInTime ? 0n : 50_000n,
    ]);
    expect(app.core.observed.includes("payment.creditedToWallet")).toBe(!isInTime);
    expect(await checkBooks(app.core.ctx)).toEqual([]);
  }
});

test("what is never paid is asked about six times, less and less often, and then no more; and never asked for again", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  const before = looksOf(app, id).length;
  const endedAt = app.core.clock.now();
  const seen: number[] = [];
  for (const _ of lookAfterEndMs) {
    const { nextLookAt } = await getPayment(app.ctx, id);
    app.core.clock.set(addMs(nextLookAt!, -1));
    await app.work();
    expect(looksOf(app, id)).toHaveLength(before + seen.length);
    app.core.clock.set(nextLookAt!);
    await app.work();
    seen.push(app.core.clock.now().getTime() - endedAt.getTime());
    expect(looksOf(app, id)).toHaveLength(before + seen.length);
  }
  expect(seen).toEqual(lookAfterEndMs.map((_, index) => sum(lookAfterEndMs.slice(0, index + 1))));
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "expired", nextLookAt: null });
  await app.after(90 * dayMs);
  expect(looksOf(app, id)).toHaveLength(before + seen.length);
  expect(app.gateway.calls.filter((call) => call === `begin ${id}`)).toHaveLength(1);
});

test("a gateway that is away for a week takes no look away: the money is found afterwards", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  await pass(app, 2 * dayMs);
  const { looks } = await getPayment(app.ctx, id);
  app.gateway.faults.isDown = true;
  await pass(app, 7 * dayMs);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "expired", looks });
  app.gateway.faults.isDown = false;
  app.gateway.pay(id);
  await pass(app, dayMs);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded" });
});

test("notices that say nothing new take none of the looks away, and leave those that are to come where they are", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  const { nextLookAt } = await getPayment(app.ctx, id);
  for (let count = 0; count < 2 * lookAfterEndMs.length; count += 1) {
    await app.tell(id);
    await app.work();
  }
  expect(await getPayment(app.ctx, id)).toMatchObject({ looks: 0, nextLookAt });
  await Promise.all(Array.from({ length: 3 }, () => app.reconcile(id)));
  expect(await getPayment(app.ctx, id)).toMatchObject({ looks: 0, nextLookAt });
  app.core.clock.set(nextLookAt!);
  await Promise.all(Array.from({ length: 3 }, () => app.reconcile(id)));
  expect(await getPayment(app.ctx, id)).toMatchObject({ looks: 1 });
});

test("a notice whose prompt was lost is not left lying until the next look, which may be days away", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  await pass(app, 4 * dayMs);
  app.gateway.pay(id);
  await receiveNotice(app.core.ctx, app.gateway, app.gateway.notice(id));
  await app.core.database.drizzle.execute("delete from graphile_worker._private_jobs");
  await app.after(minuteMs);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded" });
});

test("a look and a notice that find the money at the same moment book it once", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  await pass(app, 2 * dayMs);
  app.gateway.pay(id);
  await app.tell(id);
  const { nextLookAt } = await getPayment(app.ctx, id);
  app.core.clock.set(nextLookAt!);
  // Each has the answer before any of them writes it down.
  const all = Promise.withResolvers<void>();
  let answered = 0;
  const cancel: PaymentProvider["cancel"] = async (reference, signal) => {
    const answer = await app.gateway.cancel(reference, signal);
    answered += 1;
    if (answered === 3) all.resolve();
    await all.promise;
    return answer;
  };
  const together = { ...app.access, providers: [{ ...app.gateway, cancel }] };
  await Promise.all(Array.from({ length: 3 }, () => reconcilePayment(app.core.ctx, id, together)));
  await app.work();
  await app.tell(id, 3);
  await app.work();
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded" });
  expect(await app.balances()).toMatchObject({ cash: app.gateway.heldMinor, wallet: 50_000n });
  expect(app.core.observed.filter((type) => type === "payment.creditedToWallet")).toHaveLength(1);
  expect(await checkBooks(app.core.ctx)).toEqual([]);
});

test("while its organization is parked late money is not booked, and looked for afterwards, however long that took", async () => {
  await using app = await givenPayingCustomer();
  const organizationId = app.ctx.organizationId!;
  const id = await expired(app);
  const house = app.core.ctx.forOrganization(organizationId);
  await house.transaction((tx) => parkOrganization(tx, "For a test."));
  app.gateway.pay(id);
  await pass(app, 20 * dayMs);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "expired", looks: 0 });
  expect(await app.core.database.drizzle.$count(payments)).toBe(0);
  await unpark(app.core.ctx, { organizationId, reason: "Looked at." });
  await app.work();
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded" });
  // Nothing was decided about the order either, so it is paid.
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 50_000n });
  expect(await checkBooks(app.core.ctx)).toEqual([]);
});

test("late money for an app whose data is gone is in its customer's wallet", async () => {
  await using app = await givenPayingCustomer();
  await app.payByCard();
  await app.after(24 * dayMs);
  const id = await expired(app);
  const { subscriptionId } = app;
  await cancelNow(app.ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await app.work();
  await app.provision();
  const { cash, wallet = 0n } = await app.balances();
  app.gateway.pay(id);
  await pass(app, dayMs);
  expect(await app.balances()).toMatchObject({ cash: cash! + 50_000n, wallet: wallet + 50_000n });
});

test("an organization's own time does not move the looks: they are real", async () => {
  await using app = await givenPayingCustomer({ testClock: true });
  const id = await expired(app);
  const { nextLookAt } = await getPayment(app.ctx, id);
  expect(nextLookAt).toEqual(addMs(app.core.clock.now(), lookAfterEndMs[0]));
  app.gateway.pay(id);
  await app.after(lookAfterEndMs[0]);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "succeeded" });
});

test("after an outage the looks of ten thousand are spread, what is due is found by its index, and a payment that begins does not wait for them", async () => {
  await using app = await givenPayingCustomer();
  const id = await expired(app);
  const { drizzle } = app.core.database;
  await drizzle.execute(sql`
    insert into payment_intents (id, organization_id, purpose, invoice_id, provider, origin, status, currency, amount_minor, expires_at,
      asked_at, looks, next_look_at, started_by, started_at, ended_at)
    select gen_random_uuid(), organization_id, purpose, invoice_id, provider, origin, status, currency, amount_minor, expires_at,
      asked_at, looks, case when n % 10 = 0 then next_look_at end, started_by, started_at, ended_at
    from payment_intents, generate_series(1, 10000) n where id = ${id}`);
  await drizzle.execute("analyze payment_intents");
  const live = await app.start();
  await drizzle.execute("delete from graphile_worker._private_jobs");
  app.core.clock.set(addMs(app.core.clock.now(), hourMs));
  expect(await sweepPayments(app.core.ctx)).toEqual({ prompted: 201 });
  const [added] = await drizzle.execute(
    sql`select count(*)::int as n from graphile_worker._private_jobs where key = ${`payment:reconcile:${live.id}`}`,
  );
  expect(added).toEqual({ n: 1 });
  // The rest is found when these are done.
  await drizzle.execute(
    "update payment_intents i set next_look_at = null from graphile_worker._private_jobs j where j.key = 'payment:reconcile:' || i.id and i.ended_at is not null",
  );
  await drizzle.execute("delete from graphile_worker._private_jobs");
  await drizzle.update(paymentIntents).set({ nextLookAt: null }).where(eq(paymentIntents.id, id));
  expect((await sweepPayments(app.core.ctx)).prompted).toBe(201);
  const plan = await drizzle.execute(
    "explain select id from payment_intents where next_look_at <= '2026-03-02' and ended_at is not null",
  );
  expect(JSON.stringify(plan)).toContain("payment_intents_due");
});
