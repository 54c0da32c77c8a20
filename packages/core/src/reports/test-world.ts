import { readFileSync } from "node:fs";
import { invoices, payments, subscriptions } from "@sewa/db/schema";
import { and, asc, eq, sql } from "drizzle-orm";
import { giveRefund, type RefundTarget } from "../billing/index.ts";
import { applyCatalog } from "../catalog/index.ts";
import {
  changePlan,
  executePlan,
  getChange,
  listChanges,
  loadPreview,
  planChange,
  type Preview,
  previewPlanChange,
  reconcileChange,
  recordPreview,
} from "../changes/index.ts";
import { addMs, hourMs } from "../clock.ts";
import { type CoreConfig, type CoreContext, createContext } from "../context.ts";
import { collectInvoice, listDueCollections } from "../payments/index.ts";
import { reconcileSubscription, recordPayment } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { planIdOf } from "../testing/given-coupons.ts";
import { givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { rateUsage } from "../usage/index.ts";
import { adjustWallet } from "../wallet/index.ts";

const blueprint = readFileSync(new URL("../../../blueprint/catalog/uptime-kuma.yaml", import.meta.url), "utf8");

export type PlanSlug = "free" | "small" | "large" | "monthly" | "tried" | "metered";
export type TestCurrency = "IDR" | "USD";

const byUse = "usage: [{ meter: cpu, amount: AMOUNT, included: '2' }, { meter: running, amount: AMOUNT, per: '7' }]";
const useOf = { idr: byUse.replaceAll("AMOUNT", "'333'"), usd: byUse.replaceAll("AMOUNT", "'0.03'") };

/** Six plans in two currencies; one of USD does not divide into months without a rest. */
const plans = [
  { slug: "free", idr: "0", usd: "0", interval: "P30D", pastDueDays: 0, cpu: "100m" },
  { slug: "small", idr: "50000", usd: "4.99", interval: "P30D", pastDueDays: 0, cpu: "250m" },
  { slug: "large", idr: "120000", usd: "11.50", interval: "P30D", pastDueDays: 3, cpu: "500m" },
  { slug: "monthly", idr: "60000", usd: "6.15", interval: "P1M", pastDueDays: 2, cpu: "300m" },
  { slug: "tried", idr: "70000", usd: "7.10", interval: "P30D", pastDueDays: 1, cpu: "200m", isTried: true },
  { slug: "metered", idr: "30000", usd: "3.30", interval: "P30D", pastDueDays: 0, cpu: "350m", isMetered: true },
];

const catalog = `currency: IDR
offerings:
  - slug: uptime-kuma
    name: Uptime Kuma
    blueprint: uptime-kuma.yaml
    summary: Monitoring.
    plans:${plans
      .map(
        ({ slug, idr, usd, interval, pastDueDays, cpu, isTried = false, isMetered = false }) => `
      - slug: ${slug}
        name: ${slug}
        limits: { cpuRequest: ${cpu}, cpuLimit: "2", memoryRequest: 256Mi, memoryLimit: 4Gi, storage: 1Gi }
        interval: ${interval}
        gracePeriodDays: 10
        pastDueDays: ${pastDueDays}
        nodePool: default
        prices:
          - { currency: IDR, amount: "${idr}"${isTried ? `, trial: { periods: 2, amount: "10000" }` : ""}${isMetered ? `, ${useOf.idr}` : ""} }
          - { currency: USD, amount: "${usd}"${isTried ? `, trial: { periods: 2, amount: "0.99" }` : ""}${isMetered ? `, ${useOf.usd}` : ""} }`,
      )
      .join("")}
`;

const preview: Preview = {
  worldHash: "world-1",
  objects: [{ kind: "Deployment", name: "app", action: "changed", fields: ["spec.template.spec"], isRestarting: true }],
  volumes: [],
  refusals: [],
};

/** An app of a customer. Each method is done whole, with what follows from it. */
export interface RentedApp {
  /** Acts as the owner. */
  readonly ctx: CoreContext;
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly currency: TestCurrency;
  provision(): Promise<void>;
  /** Pays the newest open invoice, and its app runs; false when there is none. */
  pay(): Promise<boolean>;
  resize(slug: PlanSlug): Promise<void>;
  /** The plan of its next period. */
  schedule(slug: PlanSlug): Promise<void>;
  /** Takes the shape of a plan that has begun with a period. */
  follow(): Promise<void>;
  /** An operator puts so much into the wallet of its customer. */
  give(amountMinor: bigint): Promise<void>;
  /** An operator gives back so many percent of its newest payment of something, if there is one. */
  refund(percent: bigint, target: RefundTarget): Promise<void>;
  /** Its app was measured in the last so many hours, and what was is recorded. */
  use(hours: number): Promise<void>;
  /** The money of its renewal is taken, if there is any. */
  collect(): Promise<void>;
  row(): Promise<typeof subscriptions.$inferSelect>;
}

export interface World extends AsyncDisposable {
  readonly core: TestCore;
  readonly operator: CoreContext;
  rent(options: {
    readonly plan: PlanSlug;
    readonly currency?: TestCurrency;
    readonly testClock?: boolean;
  }): Promise<RentedApp>;
  /** Time passes, and the sweeps' jobs do what is due. */
  pass(ms: number): Promise<void>;
  /** Of those who live in the present. */
  readonly apps: readonly RentedApp[];
}

export async function givenWorld(config: Partial<CoreConfig> = {}): Promise<World> {
  const core = await testCore(config);
  await givenMachines(core.ctx);
  await applyCatalog(core.ctx, { catalog, blueprints: { "uptime-kuma.yaml": blueprint } });
  const apps: RentedApp[] = [];
  return {
    core,
    operator: core.ctx.as({ type: "operator", userId: core.ctx.ids.next() }),
    apps,
    async rent({ plan, currency = "IDR", testClock = false }) {
      const house = createContext({ ...core.ctx, config: { ...core.ctx.config, currency } }, { actor: core.ctx.actor });
      const app = await rentApp(house, { plan, currency, testClock });
      if (!testClock) apps.push(app);
      return app;
    },
    async pass(ms) {
      for (const app of apps) await app.collect();
      core.clock.set(addMs(core.clock.now(), ms));
      for (const app of apps) {
        await reconcileSubscription(core.ctx, app.subscriptionId);
        await app.collect();
        await app.follow();
      }
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

async function rentApp(
  house: CoreContext,
  {
    plan,
    currency,
    testClock,
  }: { readonly plan: PlanSlug; readonly currency: TestCurrency; readonly testClock: boolean },
): Promise<RentedApp> {
  const { ctx, organizationId } = await givenCustomer(house, { testClock });
  const { subscription: view } = await givenOrder(ctx, { plan });
  const { instanceId } = view;
  const subscriptionId = view.subscription.id;
  const { drizzle } = house.db;
  const bound = house.forOrganization(organizationId);
  const provision = async (): Promise<void> => {
    await provisionOnce(house, instanceId);
  };
  const app: RentedApp = {
    ctx,
    organizationId,
    subscriptionId,
    instanceId,
    currency,
    provision,
    async pay() {
      const open = and(eq(invoices.subscriptionId, subscriptionId), eq(invoices.status, "open"));
      const invoice = (await drizzle.select().from(invoices).where(open).orderBy(asc(invoices.id))).at(-1);
      if (invoice === undefined) return false;
      await recordPayment(bound, {
        invoiceId: invoice.id,
        amountMinor: invoice.totalMinor - invoice.paidMinor,
        currency: invoice.currency,
        reference: `BANK-${invoice.id}`,
        idempotencyKey: invoice.id,
      });
      await provision();
      return true;
    },
    async schedule(slug) {
      const choice = { subscriptionId, planId: await planIdOf(ctx, slug), moment: "period_end" } as const;
      const { at, priceKey } = await previewPlanChange(ctx, choice);
      await changePlan(ctx, { ...choice, at, priceKey, idempotencyKey: ctx.ids.next() });
    },
    async follow() {
      if ((await app.row()).reshapeDueAt === null) return;
      await reconcileChange(house, instanceId);
      const { items } = await listChanges(ctx, { instanceId });
      const followed = items.find(({ change }) => change.status === "planning");
      if (followed === undefined) return;
      await look(followed.change.id);
      await carryOut(followed.change.id);
    },
    async resize(slug) {
      const planId = await planIdOf(ctx, slug);
      const request = { kind: "resize", planId } as const;
      const { change } = await planChange(ctx, { instanceId, request, idempotencyKey: ctx.ids.next() });
      await look(change.id);
      const { hash } = (await getChange(ctx, change.id)).change;
      await executePlan(ctx, { changeId: change.id, hash: hash ?? "", idempotencyKey: ctx.ids.next() });
      if ((await getChange(ctx, change.id)).change.status === "awaiting_payment") await app.pay();
      await reconcileChange(house, instanceId);
      await carryOut(change.id);
    },
    async give(amountMinor) {
      const gift = { amountMinor, currency, reason: "For a test.", idempotencyKey: ctx.ids.next() };
      await adjustWallet(bound, gift);
    },
    async refund(percent, target) {
      const paid = await drizzle
        .select({ payment: payments })
        .from(payments)
        .innerJoin(invoices, eq(invoices.id, payments.invoiceId))
        .where(eq(invoices.subscriptionId, subscriptionId))
        .orderBy(asc(payments.id));
      const payment = paid.map((row) => row.payment).findLast((row) => row.amountMinor > row.refundedMinor);
      if (payment === undefined) return;
      const amountMinor = ((payment.amountMinor - payment.refundedMinor) * percent) / 100n;
      if (amountMinor === 0n) return;
      const refund = { paymentId: payment.id, amountMinor, currency, target, reason: "For a test." };
      await giveRefund(bound, { ...refund, idempotencyKey: ctx.ids.next() });
    },
    async use(hours) {
      const now = house.clock.now();
      const from = addMs(now, -hours * hourMs);
      await drizzle.execute(sql`
        insert into usage_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds, cpu_max_millis,
          memory_byte_seconds, memory_max_bytes, storage_covered_seconds, storage_byte_seconds, storage_max_bytes)
        select ${organizationId}, ${instanceId}, hour_at, 3600, 777 * 3600, 777, 3600, 1, 3600, 3600, 1
        from generate_series(date_trunc('hour', ${from.toISOString()}::timestamptz, 'UTC'),
          ${addMs(now, -2 * hourMs).toISOString()}::timestamptz, interval '1 hour') hour_at
        on conflict (instance_id, hour_at) do nothing`);
      await rateUsage(house);
    },
    async collect() {
      const due = await bound.transaction((tx) => listDueCollections(tx, tx.now));
      for (const { invoiceId } of due) await collectInvoice(house, invoiceId);
      await reconcileSubscription(house, subscriptionId);
    },
    async row() {
      const [row] = await drizzle.select().from(subscriptions).where(eq(subscriptions.id, subscriptionId));
      if (row === undefined) throw new Error("It was never rented.");
      return row;
    },
  };
  /** Worker and cluster take their turns until the change has ended. */
  async function carryOut(changeId: string): Promise<void> {
    const { status } = (await getChange(ctx, changeId)).change;
    if (status === "approved") await look(changeId);
    await provision();
    await reconcileChange(house, instanceId);
    await reconcileSubscription(house, subscriptionId);
  }
  async function look(changeId: string): Promise<void> {
    while ((await loadPreview(house, changeId)) !== null) {
      if ((await recordPreview(house, changeId, preview)) === "done") return;
    }
  }
  if (plan === "free") await provision();
  return app;
}
