import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parkOrganization } from "../accounts/index.ts";
import { giveRefund, type InvoiceRow, listInvoices, type PaymentRow } from "../billing/index.ts";
import { checkBooks, unpark } from "../books/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { failOverdueOperations } from "../instances/index.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  listSubscriptions,
  reconcileSubscription,
  recordPayment,
  renewSubscription,
  type SubscriptionView,
} from "../subscriptions/index.ts";
import type { FakeGateway, GatewayFaults } from "../testing/fake-gateway.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenOrder } from "../testing/given.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import { adjustWallet } from "../wallet/index.ts";
import {
  cancelPayment,
  collectInvoice,
  type IntentRow,
  listPaymentMethods,
  listPayments,
  type PaymentMethodRow,
  type PaymentProvider,
  reconcilePayment,
  removePaymentMethod,
  setAutomaticPayment,
  setAutoTopUp,
} from "./index.ts";

const runs = 6 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** What there is to act on, as somebody sees it at that moment. */
interface Scene {
  readonly app: PayingCustomer;
  readonly ctx: CoreContext;
  readonly gateway: FakeGateway;
  readonly house: CoreContext;
  /** Chooses among what there is. */
  readonly which: number;
  readonly idempotencyKey: string;
  readonly rented: number;
  readonly one: SubscriptionView | undefined;
  readonly open: InvoiceRow | undefined;
  readonly paid: PaymentRow | undefined;
  /** By the gateway. */
  readonly payment: IntentRow | undefined;
  readonly card: PaymentMethodRow | undefined;
}

const currency = "IDR";
const reason = "For a test.";

async function see(app: PayingCustomer, which: number): Promise<Scene> {
  const { ctx, core, gateway } = app;
  const rented = (await listSubscriptions(ctx, {})).items;
  const invoices = (await listInvoices(ctx, {})).items;
  const begun = (await listPayments(ctx, {})).items.filter(isOfGateway);
  const pick = <T>(items: readonly T[]): T | undefined => items[which % Math.max(items.length, 1)];
  return {
    app,
    ctx,
    gateway,
    house: core.ctx.forOrganization(ctx.organizationId ?? ""),
    which,
    idempotencyKey: ctx.ids.next(),
    rented: rented.length,
    one: pick(rented),
    open: pick(invoices.filter(({ invoice }) => invoice.status === "open"))?.invoice,
    paid: pick(invoices.flatMap(({ payments }) => payments)),
    payment: pick(begun),
    card: pick((await listPaymentMethods(ctx, {})).items),
  };
}

const passTime =
  (ms: number) =>
  ({ app }: Scene): void =>
    app.core.clock.set(addMs(app.core.clock.now(), ms));
const toggle =
  (name: keyof GatewayFaults) =>
  ({ gateway }: Scene): void => {
    gateway.faults[name] = !gateway.faults[name];
  };
/** Late too: banks let money through after they said that nobody can pay any more. */
const payAtGateway =
  (extraMinor: bigint) =>
  ({ gateway, payment }: Scene): void => {
    const state = payment === undefined ? null : gateway.state(payment.id);
    if (payment !== undefined && state !== null && state !== "succeeded") {
      gateway.pay(payment.id, payment.amountMinor + extraMinor);
    }
  };

/** Everything that can happen, each to something that is there, if anything is. */
const deeds = {
  order: ({ ctx, rented }) => (rented < 4 ? givenOrder(ctx, { plan: "small" }) : undefined),
  checkout: ({ app, open }) => open && app.start({ method: "checkout" }, open.id),
  "checkout and keep the card": ({ app, open }) =>
    open && app.start({ method: "checkout", savesMethod: true }, open.id),
  "pay from the wallet": ({ app, open }) => open && app.start({ method: "wallet" }, open.id),
  "pay by the saved card": ({ app, open, card }) =>
    open && card && app.start({ method: "saved", methodId: card.id }, open.id),
  "pay at the gateway": payAtGateway(0n),
  "pay more at the gateway": payAtGateway(7n),
  "expire at the gateway": ({ gateway, payment }) => {
    if (payment !== undefined && gateway.state(payment.id) === "pending") gateway.expire(payment.id);
  },
  "cancel the payment": ({ ctx, payment, idempotencyKey }) =>
    payment && cancelPayment(ctx, { intentId: payment.id, idempotencyKey }),
  tell: ({ app, payment }) => payment && app.tell(payment.id),
  "tell again": ({ app, payment }) => payment && app.tell(payment.id, 3),
  look: ({ app, payment }) => payment && app.reconcile(payment.id),
  "die while looking": ({ app, payment }) =>
    payment && reconcilePayment(app.core.ctx, payment.id, { ...app.access, providers: [dying(app)] }),
  work: ({ app }) => app.work(),
  "top up": ({ app, which }) => app.topUp(BigInt(10_000 * (which + 1))),
  give: ({ house, which, idempotencyKey }) =>
    adjustWallet(house, { amountMinor: BigInt(9_000 * (which + 1)), currency, reason, idempotencyKey }),
  take: ({ house, which, idempotencyKey }) =>
    adjustWallet(house, { amountMinor: BigInt(-9_000 * (which + 1)), currency, reason, idempotencyKey }),
  refund: ({ house, paid, which, idempotencyKey }) => {
    const target = which % 2 === 0 ? "origin" : "wallet";
    const refund = { amountMinor: BigInt(5_000 * (which + 1)), currency, target, reason, idempotencyKey } as const;
    return paid && giveRefund(house, { ...refund, paymentId: paid.id });
  },
  "bank transfer": ({ house, open, idempotencyKey }) => {
    if (open === undefined) return undefined;
    const amountMinor = open.totalMinor - open.paidMinor;
    const transfer = { invoiceId: open.id, amountMinor, currency, reference: idempotencyKey, idempotencyKey };
    return recordPayment(house, transfer);
  },
  provision: ({ app, one }) => one && provision(app, one.instanceId, false),
  "fail to provision": ({ app, one }) => one && provision(app, one.instanceId, true),
  renew: ({ ctx, one, idempotencyKey }) =>
    one && renewSubscription(ctx, { subscriptionId: one.subscription.id, idempotencyKey }),
  "cancel at the period's end": ({ ctx, one, idempotencyKey }) =>
    one && cancelAtPeriodEnd(ctx, { subscriptionId: one.subscription.id, idempotencyKey }),
  "cancel now": ({ ctx, one, idempotencyKey }) =>
    one && cancelNow(ctx, { subscriptionId: one.subscription.id, confirmName: one.instanceName, idempotencyKey }),
  "choose automatic payment": ({ ctx, card, which }) =>
    card && setAutomaticPayment(ctx, { methodId: card.id, isAutomatic: which % 4 !== 0 }),
  "choose automatic top-up": ({ ctx, card }) =>
    card && setAutoTopUp(ctx, { thresholdMinor: 20_000n, amountMinor: 30_000n, methodId: card.id }),
  "remove the card": ({ ctx, card, which }) => (which === 0 && card ? removePaymentMethod(ctx, card.id) : undefined),
  park: ({ house }) => house.transaction((tx) => parkOrganization(tx, reason)),
  unpark: ({ app }) => release(app),
  collect: ({ app, open }) => open && collectInvoice(app.core.ctx, open.id),
  decide: ({ app, one }) => one && reconcileSubscription(app.core.ctx, one.subscription.id),
  "a minute": passTime(minuteMs),
  "an hour": passTime(hourMs),
  "a day": passTime(dayMs),
  "a week": passTime(7 * dayMs),
  losesAnswers: toggle("losesAnswers"),
  isDown: toggle("isDown"),
  declines: toggle("declines"),
  refusesRefunds: toggle("refusesRefunds"),
  isSlow: toggle("isSlow"),
} as const satisfies Readonly<Record<string, (scene: Scene) => unknown>>;
type Kind = keyof typeof deeds;
const kinds = Object.keys(deeds) as readonly Kind[];
const faults: readonly (keyof GatewayFaults)[] = ["losesAnswers", "isDown", "declines", "refusesRefunds", "isSlow"];

/** What is refused is refused; only defects are thrown. */
async function perform(app: PayingCustomer, { kind: deed, which }: { kind: Kind; which: number }): Promise<void> {
  try {
    await deeds[deed](await see(app, which));
  } catch (error) {
    const isKill = error instanceof Error && error.message === "killed";
    if (!(error instanceof DomainError) && !isKill) throw error;
  }
}

/** What makes histories go on is done more often than what ends them. */
const weights: Readonly<Partial<Record<Kind, number>>> = {
  checkout: 3,
  "checkout and keep the card": 3,
  "pay at the gateway": 6,
  tell: 3,
  look: 3,
  work: 6,
  provision: 4,
  renew: 2,
  unpark: 3,
  "choose automatic payment": 2,
  "a day": 2,
  "a week": 2,
};
const kind = fc.oneof(...kinds.map((name) => ({ weight: weights[name] ?? 1, arbitrary: fc.constant(name) })));
/** None; contained in prices and added to them. */
const taxLaws = [
  [],
  [
    { name: "PPN", percent: "11", isInclusive: true },
    { name: "Levy", percent: "2.75", isInclusive: false },
  ],
];
const history = fc.record({
  taxes: fc.constantFrom(...taxLaws),
  /** Begins with an app that runs, and a card that its customer has kept. */
  hasCard: fc.boolean(),
  steps: fc.array(fc.array(fc.record({ kind, which: fc.nat(7) }), { minLength: 1, maxLength: 3 }), {
    minLength: 10,
    maxLength: 40,
  }),
});

async function release({ core, ctx }: PayingCustomer): Promise<void> {
  await unpark(core.ctx, { organizationId: ctx.organizationId ?? "", reason });
}

/** Does what it was asked, and takes the worker down before that can write it down. */
function dying({ gateway }: PayingCustomer): PaymentProvider {
  const die = async (work: Promise<unknown>): Promise<never> => {
    await work;
    throw new Error("killed");
  };
  return {
    ...gateway,
    begin: (request, signal) => die(gateway.begin(request, signal)),
    lookUp: (reference, signal) => die(gateway.lookUp(reference, signal)),
    cancel: (reference, signal) => die(gateway.cancel(reference, signal)),
  };
}

async function provision({ core }: PayingCustomer, instanceId: string, fails: boolean): Promise<void> {
  const [row] = await core.database.drizzle.execute<{ wanted: string; ready: boolean; was_wanted: boolean }>(
    sql`select desired_phase as wanted, ready_at is not null as ready, generation > 1 as was_wanted
      from instances where id = ${instanceId}`,
  );
  // Of an order that waits for its money nothing was ever wanted.
  if (row?.was_wanted !== true) return;
  const crashes = fails && !row.ready && row.wanted === "running";
  await provisionOnce(core.ctx, instanceId, crashes ? observations.crashing : undefined).catch((error: unknown) => {
    // Somebody else holds the lease.
    if (!(error instanceof Error && error.message.includes("lease"))) throw error;
  });
  if (!crashes) return;
  await core.database.drizzle.execute(
    sql`update operations set deadline_at = '2026-01-01' where instance_id = ${instanceId} and status in ('queued', 'running')`,
  );
  await failOverdueOperations(core.ctx);
}

/** All is well again, and everything that waits has its time. */
async function heal(app: PayingCustomer): Promise<void> {
  for (const fault of faults) app.gateway.faults[fault] = false;
  await release(app);
  // Long enough for every look at what has ended.
  for (const waitMs of [9, 9, 9, 24, 48, 96, 168, 9, 9].map((hours) => hours * hourMs)) {
    app.gateway.finish();
    app.core.clock.set(addMs(app.core.clock.now(), waitMs));
    for (const { subscription } of (await listSubscriptions(app.ctx, {})).items) {
      await reconcileSubscription(app.core.ctx, subscription.id);
    }
    await app.work();
    await tellLate(app);
  }
}

/** Only what is paid weeks after it has ended is not asked about any more: a gateway repeats its notice until it is taken. */
async function tellLate(app: PayingCustomer): Promise<void> {
  for (const { id, status, nextLookAt } of (await listPayments(app.ctx, { limit: 100 })).items.filter(isOfGateway)) {
    const isForgotten = status !== "succeeded" && nextLookAt === null;
    if (isForgotten && app.gateway.state(id) === "succeeded") await app.tell(id);
  }
}

async function count(app: PayingCustomer, query: string): Promise<bigint> {
  const [row] = await app.core.database.drizzle.execute<{ n: string | null }>(query);
  return BigInt(row?.n ?? 0);
}

test("after any history, with the gateway failing, workers dying and the customer parked, money adds up to what the gateway holds", async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ taxes, hasCard, steps }) => {
      await using app = await givenPayingCustomer({ taxes });
      if (hasCard) await app.payByCard();
      for (const acts of steps) await Promise.all(acts.map((act) => perform(app, act)));
      await heal(app);

      expect(await count(app, "select count(*) as n from payment_intents where status in ('created', 'pending')")).toBe(
        0n,
      );
      expect(await count(app, "select count(*) as n from refunds where status = 'pending'")).toBe(0n);
      expect(await count(app, "select count(*) as n from payment_notices where applied_at is null")).toBe(0n);
      // What the gateway has taken is what the books say that it has, payment by payment and in sum.
      for (const { id, status } of (await listPayments(app.ctx, { limit: 100 })).items.filter(isOfGateway)) {
        expect([id, status === "succeeded"]).toEqual([id, app.gateway.state(id) === "succeeded"]);
      }
      const byBank = await count(app, "select sum(amount_minor) as n from payments where provider = 'manual'");
      const toBank = await count(app, "select sum(amount_minor) as n from refunds where destination = 'manual'");
      const balances = await app.balances();
      expect((balances["cash"] ?? 0n) - byBank + toBank).toBe(app.gateway.heldMinor);
      expect(balances["refund_due"] ?? 0n).toBe(0n);
      // Nobody has paid for an app that never became ready.
      const kept = `select coalesce(sum(v.paid_minor - v.credited_minor), 0) as n from invoices v
        join subscriptions s on s.id = v.subscription_id join instances i on i.subscription_id = s.id
        where s.status = 'cancelled' and i.ready_at is null`;
      expect(await count(app, kept)).toBe(0n);
      // No invoice that was given up keeps a part of its money.
      const given = "select coalesce(sum(paid_minor - credited_minor), 0) as n from invoices where status = 'void'";
      expect(await count(app, given)).toBe(0n);
      expect((await checkBooks(app.core.ctx)).filter(({ check }) => check.kind === "books")).toEqual([]);
    }),
    // Shrinking would outlive the test, and nobody would see the seed.
    { numRuns: runs, endOnFailure: true },
  );
}, 300_000);

function isOfGateway({ provider }: { readonly provider: string }): boolean {
  return provider === "sandbox";
}
