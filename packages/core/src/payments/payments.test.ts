import { paymentIntents, paymentNotices, payments, refunds } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { recordNodes } from "../capacity/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { getInvoice, listInvoices } from "../billing/index.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { cancelNow, reconcileSubscription, recordPayment, renewSubscription } from "../subscriptions/index.ts";
import { observations } from "../testing/fake-world.ts";
import { givenMachines, givenOrder } from "../testing/given.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import {
  cancelPayment,
  getPayment,
  NoticeRefused,
  type PaymentProvider,
  receiveNotice,
  reconcilePayment,
  startPayment,
} from "./index.ts";

/** The app runs on a payment by the gateway. */
async function running(): Promise<PayingCustomer> {
  const app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  await app.provision();
  return app;
}

test("an order that is paid on the gateway's page starts with its notice, and the money stands in the books", async () => {
  await using app = await givenPayingCustomer();
  const { id, status } = await app.start();
  expect(status).toBe("created");
  await app.work();
  expect(await getPayment(app.ctx, id)).toMatchObject({
    status: "pending",
    checkoutUrl: `https://gateway.test/pay/${id}`,
  });
  expect(await app.status()).toBe("pending");
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 50_000n });
  expect(await app.core.database.drizzle.select().from(payments)).toMatchObject([
    { provider: "sandbox", reference: id, amountMinor: 50_000n },
  ]);
});

test("M4 M7 a notice that comes five times, three of them at once, is stored once and has one effect", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  const notice = app.gateway.notice(id);
  const deliver = () => receiveNotice(app.core.ctx, app.gateway, notice);
  await Promise.all([deliver(), deliver(), deliver()]);
  await app.work();
  await deliver();
  await deliver();
  await app.work();
  await app.reconcile(id);
  expect(await app.core.database.drizzle.select().from(paymentNotices)).toMatchObject([
    { subjectId: id, appliedAt: expect.any(Date) as Date },
  ]);
  expect(await app.core.database.drizzle.select().from(payments)).toHaveLength(1);
  expect(app.gateway.heldMinor).toBe(50_000n);
});

test("M5 notices in any order, or about something that nobody knows, end in what the gateway says", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  const paid = app.gateway.notice(id);
  const created = app.gateway.notice(id);
  await receiveNotice(app.core.ctx, app.gateway, app.gateway.notice(app.ctx.ids.next()));
  await receiveNotice(app.core.ctx, app.gateway, app.gateway.notice("another shop's"));
  await app.work();
  app.gateway.pay(id);
  await receiveNotice(app.core.ctx, app.gateway, paid);
  await app.work();
  await receiveNotice(app.core.ctx, app.gateway, created);
  await app.work();
  expect(await app.status()).toBe("active");
  const notices = await app.core.database.drizzle.select().from(paymentNotices);
  expect(notices.map(({ appliedAt }) => appliedAt !== null)).toEqual([true, true, true, true]);
});

test("M6 a notice that the gateway did not sign, or that is too long, leaves nothing behind", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  const { body } = app.gateway.notice(id);
  const forged = receiveNotice(app.core.ctx, app.gateway, { body, headers: { signature: "somebody else's" } });
  await expect(forged).rejects.toBeInstanceOf(NoticeRefused);
  const long = receiveNotice(app.core.ctx, app.gateway, { ...app.gateway.notice(id), body: Buffer.alloc(65_537, 32) });
  await expect(long).rejects.toBeInstanceOf(NoticeRefused);
  expect(await app.core.database.drizzle.$count(paymentNotices)).toBe(0);
});

test("a lost notice costs nothing but time: the sweep asks", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.after(minuteMs);
  expect(await app.status()).toBe("active");
});

test("M8 an answer that was lost is looked up, and nothing is charged again", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  app.gateway.faults.losesAnswers = true;
  expect(await app.reconcile(id)).toEqual({ againMs: 5_000 });
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "created", askedAt: expect.any(Date) as Date });
  app.gateway.pay(id);
  app.gateway.faults.losesAnswers = false;
  await app.reconcile(id);
  expect(await app.status()).toBe("active");
  expect(app.gateway.calls).toEqual([`begin ${id}`, `lookUp ${id}`]);
  expect(app.gateway.heldMinor).toBe(50_000n);
});

test("M8 workers that look at the same time, at one that was paid or is not wanted any more, write it down once", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.reconcile(id);
  app.gateway.pay(id);
  await Promise.all([app.reconcile(id), app.reconcile(id), app.reconcile(id)]);
  expect(await app.core.database.drizzle.$count(payments)).toBe(1);
  const topUp = await app.topUp(10_000n);
  await cancelPayment(app.ctx, { intentId: topUp.id, idempotencyKey: "cancel-01" });
  await Promise.all([app.reconcile(topUp.id), app.reconcile(topUp.id), app.reconcile(topUp.id)]);
  expect(await getPayment(app.ctx, topUp.id)).toMatchObject({ status: "cancelled", nextLookAt: null });
  await app.work();
  expect(app.core.observed.filter((type) => type === "payment.failed")).toHaveLength(1);
});

test("M8 a gateway that never heard of it is asked again by the same reference", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  app.gateway.faults.isDown = true;
  await app.reconcile(id);
  app.gateway.faults.isDown = false;
  await app.reconcile(id);
  expect(app.gateway.calls).toEqual([`begin ${id}`, `lookUp ${id}`, `begin ${id}`]);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "pending" });
});

test("M2 whoever dies between the gateway's answer and the books leaves a payment that the next one finds", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start({ method: "checkout", savesMethod: true });
  const dying: PaymentProvider = {
    ...app.gateway,
    async begin(request, signal) {
      await app.gateway.begin(request, signal);
      throw new Error("killed");
    },
  };
  await expect(reconcilePayment(app.core.ctx, id, { ...app.access, providers: [dying] })).rejects.toThrow("killed");
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "created" });
  app.gateway.pay(id);
  await app.after(minuteMs);
  expect(await app.status()).toBe("active");
  expect(app.gateway.calls).toEqual([`begin ${id}`, `lookUp ${id}`]);
  expect(app.gateway.heldMinor).toBe(50_000n);
});

test("M1 twenty clicks at once start one payment", async () => {
  await using app = await givenPayingCustomer();
  const invoiceId = await app.openInvoiceId();
  const same = { invoiceId, method: "checkout", idempotencyKey: "click-0001" } as const;
  const answers = await Promise.all(Array.from({ length: 20 }, () => startPayment(app.ctx, same)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  const other = await startPayment(app.ctx, { ...same, idempotencyKey: "click-0002" });
  expect(other.id).toBe(answers[0]!.id);
  const fromWallet = startPayment(app.ctx, { ...same, method: "wallet", idempotencyKey: "click-0003" });
  await expect(fromWallet).rejects.toMatchObject({ code: "PAYMENT_IN_PROGRESS" });
  expect(await app.core.database.drizzle.$count(paymentIntents)).toBe(1);
});

test("a refused payment frees the invoice for the next one, and a cancelled one cannot be paid any more", async () => {
  await using app = await givenPayingCustomer();
  const first = await app.start();
  await app.work();
  await cancelPayment(app.ctx, { intentId: first.id, idempotencyKey: "cancel-01" });
  await app.work();
  expect(await getPayment(app.ctx, first.id)).toMatchObject({ status: "cancelled", checkoutUrl: null });
  expect(app.gateway.state(first.id)).toBe("cancelled");
  const second = await app.start();
  await app.work();
  app.gateway.expire(second.id);
  await app.after(minuteMs);
  expect(await getPayment(app.ctx, second.id)).toMatchObject({ status: "expired" });
  const third = await app.start();
  await app.work();
  app.gateway.pay(third.id);
  await app.tell(third.id);
  await app.work();
  expect(await app.status()).toBe("active");
});

test("whoever cancels what was just paid has paid", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await cancelPayment(app.ctx, { intentId: id, idempotencyKey: "cancel-01" });
  await app.work();
  expect(await app.status()).toBe("active");
  await expect(cancelPayment(app.ctx, { intentId: id, idempotencyKey: "cancel-02" })).rejects.toMatchObject({
    code: "INVALID_TRANSITION",
  });
});

test("an order is not given up while its money is on its way, and is once nobody can pay it any more", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.faults.isDown = true;
  await app.after(25 * hourMs);
  expect(await app.status()).toBe("pending");
  app.gateway.faults.isDown = false;
  await app.after(10 * minuteMs);
  expect(app.gateway.state(id)).toBe("cancelled");
  expect(await app.status()).toBe("cancelled");
});

test("money for an order that was cancelled meanwhile goes to the wallet, and its customer is told", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  const { subscriptionId } = app;
  await cancelNow(app.ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await app.work();
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 0n, cash: 50_000n, wallet: 50_000n });
  expect(app.core.observed).toContain("payment.creditedToWallet");
  const mails = await app.core.database.drizzle.execute("select kind from notifications");
  expect(mails).toEqual([{ kind: "payment_in_wallet" }]);
});

test("M11 paid and cancelled at the same instant, by whoever comes first: nobody is charged and cancelled without having it back", async () => {
  await using app = await givenPayingCustomer();
  const orders = [app.subscriptionId];
  for (let more = 1; more < 5; more += 1) {
    orders.push((await givenOrder(app.ctx, { plan: "small" })).subscription.subscription.id);
  }
  const open = (await listInvoices(app.ctx, {})).items.map(({ invoice }) => invoice);
  await Promise.all(
    orders.map(async (subscriptionId) => {
      const invoice = open.find((one) => one.subscriptionId === subscriptionId);
      const { id } = await app.start({ method: "checkout" }, invoice!.id);
      await app.reconcile(id);
      app.gateway.pay(id);
      // Both go for the subscription when the gateway has answered.
      const answered = Promise.withResolvers<void>();
      const lookUp: PaymentProvider["lookUp"] = async (reference, signal) => {
        const answer = await app.gateway.lookUp(reference, signal);
        answered.resolve();
        return answer;
      };
      const looking = reconcilePayment(app.core.ctx, id, { ...app.access, providers: [{ ...app.gateway, lookUp }] });
      await answered.promise;
      const cancel = { subscriptionId, confirmName: "Status page", idempotencyKey: `cancel-${id}` };
      await Promise.all([looking, cancelNow(app.ctx, cancel)]);
    }),
  );
  await app.work();
  const balances = await app.balances();
  expect([balances["receivable"], balances["revenue"], balances["refund_due"] ?? 0n]).toEqual([0n, 0n, 0n]);
  expect(balances["cash"]).toBe(app.gateway.heldMinor);
  expect(balances["wallet"] ?? 0n).toBe(app.gateway.heldMinor);
});

test("what was paid by bank meanwhile is not paid twice: the second money goes to the wallet", async () => {
  await using app = await givenPayingCustomer();
  const invoiceId = await app.openInvoiceId();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  const bank = { invoiceId, amountMinor: 50_000n, currency: "IDR", reference: "bank 1", idempotencyKey: "bank-0001" };
  await recordPayment(app.core.ctx.forOrganization(app.ctx.organizationId!), bank);
  await app.work();
  expect(await app.balances()).toMatchObject({ receivable: 0n, revenue: 50_000n, cash: 100_000n, wallet: 50_000n });
});

test("more than was asked for is kept in the wallet, and less pays a part", async () => {
  await using app = await givenPayingCustomer();
  const invoiceId = await app.openInvoiceId();
  const first = await app.start();
  await app.work();
  app.gateway.pay(first.id, 20_000n);
  await app.tell(first.id);
  await app.work();
  expect((await getInvoice(app.ctx, invoiceId)).invoice).toMatchObject({ status: "open", paidMinor: 20_000n });
  const second = await app.start();
  expect(second.amountMinor).toBe(30_000n);
  await app.work();
  app.gateway.pay(second.id, 35_000n);
  await app.tell(second.id);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(await app.balances()).toMatchObject({ receivable: 0n, cash: 55_000n, wallet: 5_000n });
});

test("nobody is charged for an app that never became ready: the gateway gives it back", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  await app.provision(observations.crashing);
  app.gateway.faults.losesAnswers = true;
  app.core.clock.set(addMs(app.core.clock.now(), hourMs));
  await failOverdueOperations(app.core.ctx);
  await app.work();
  expect(await app.status()).toBe("cancelled");
  // Taken back, and owed until the gateway has said so.
  expect(await app.balances()).toMatchObject({ revenue: 0n, refund_due: 50_000n, cash: 50_000n });
  app.gateway.faults.losesAnswers = false;
  await app.after(minuteMs);
  expect(await app.balances()).toMatchObject({ revenue: 0n, refund_due: 0n, cash: 0n });
  expect(app.gateway.heldMinor).toBe(0n);
  expect(app.gateway.calls.filter((call) => call.startsWith("refund "))).toHaveLength(1);
});

test("what the gateway will not give back is in the wallet", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  app.gateway.faults.refusesRefunds = true;
  const { subscriptionId } = app;
  await cancelNow(app.ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await app.work();
  expect(await app.balances()).toMatchObject({ revenue: 0n, refund_due: 0n, cash: 50_000n, wallet: 50_000n });
  expect(await app.core.database.drizzle.select().from(refunds)).toMatchObject([
    { destination: "wallet", status: "succeeded", failure: "refund_refused" },
  ]);
});

test("a late payment for a renewal brings the same app back in a new term", async () => {
  await using app = await running();
  await app.after(24 * dayMs);
  const { id } = await app.start();
  await app.work();
  app.gateway.faults.isDown = true;
  await app.after(7 * dayMs);
  expect(await app.status()).toBe("expired");
  await app.provision();
  app.gateway.pay(id);
  app.gateway.faults.isDown = false;
  await app.after(hourMs);
  expect(await app.status()).toBe("active");
  await app.provision();
  const invoices = (await listInvoices(app.ctx, {})).items.map(({ invoice }) => `${invoice.reason} ${invoice.status}`);
  expect(invoices).toEqual(["reactivation paid", "renewal void", "order paid"]);
  expect(await app.balances()).toMatchObject({ receivable: 0n, revenue: 100_000n, cash: 100_000n });
});

test("K12 a late payment that finds no room is kept in the wallet, and the house is told", async () => {
  await using app = await running();
  await app.after(24 * dayMs);
  const { id } = await app.start();
  await app.work();
  app.gateway.faults.isDown = true;
  await app.after(7 * dayMs);
  await app.provision();
  await recordNodes(app.core.ctx, []);
  app.gateway.pay(id);
  app.gateway.faults.isDown = false;
  await app.after(hourMs);
  expect(await app.status()).toBe("expired");
  expect(await app.balances()).toMatchObject({ receivable: 0n, revenue: 50_000n, cash: 100_000n, wallet: 50_000n });
  expect(app.core.observed).toContain("payment.foundNoRoom");
});

test("an expired app is paid only where there is room, which is kept while the payment is under way and no longer", async () => {
  await using app = await running();
  const holds = async () => app.core.database.drizzle.execute("select 1 from capacity_holds");
  await app.after(31 * dayMs);
  await app.provision();
  expect(await holds()).toHaveLength(0);
  await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-001" });
  await recordNodes(app.core.ctx, []);
  await expect(app.start()).rejects.toMatchObject({ code: "CAPACITY" });
  await givenMachines(app.core.ctx);
  const { id } = await app.start();
  await app.work();
  // A look at what is settled does not give the room away.
  await app.provision();
  expect(await holds()).toHaveLength(1);
  app.gateway.expire(id);
  await app.after(hourMs);
  expect(await holds()).toHaveLength(0);
  const again = await app.start();
  await app.work();
  app.gateway.pay(again.id);
  await app.tell(again.id);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(await holds()).toHaveLength(1);
});

test("data is not deleted while money for it is on its way", async () => {
  await using app = await running();
  await app.after(31 * dayMs);
  await app.provision();
  await app.after(28 * dayMs);
  await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-001" });
  const { id } = await app.start();
  await app.work();
  app.gateway.faults.isDown = true;
  await app.after(2 * dayMs);
  expect(await app.status()).toBe("expired");
  app.gateway.pay(id);
  app.gateway.faults.isDown = false;
  await app.after(hourMs);
  expect(await app.status()).toBe("active");
});

test("what costs nothing is renewed and not paid: no payment of nothing begins", async () => {
  await using app = await givenPayingCustomer();
  const { subscription } = await givenOrder(app.ctx, { plan: "free" });
  app.core.clock.set(addMs(app.core.clock.now(), 24 * dayMs));
  await reconcileSubscription(app.core.ctx, subscription.subscription.id);
  const { items } = await listInvoices(app.ctx, { subscriptionId: subscription.subscription.id });
  const renewal = items.find(({ invoice }) => invoice.status === "open")!.invoice;
  expect(renewal).toMatchObject({ reason: "renewal", totalMinor: 0n });
  for (const method of ["checkout", "wallet"] as const) {
    await expect(app.start({ method }, renewal.id)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  }
  await renewSubscription(app.ctx, { subscriptionId: subscription.subscription.id, idempotencyKey: "renew-0001" });
  expect((await getInvoice(app.ctx, renewal.id)).invoice.status).toBe("paid");
});
