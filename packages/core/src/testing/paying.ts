import { sql } from "drizzle-orm";
import { addMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { listInvoices } from "../billing/index.ts";
import { listBalances } from "../ledger/index.ts";
import {
  collectInvoice,
  type IntentRow,
  type PaymentChoice,
  type ProviderAccess,
  receiveNotice,
  reconcilePayment,
  reconcileRefund,
  startPayment,
  startTopUp,
  sweepPayments,
  topUpAutomatically,
} from "../payments/index.ts";
import { getSubscription, reconcileSubscription } from "../subscriptions/index.ts";
import { createTaxRate, type CreateTaxRateInput } from "../taxes/index.ts";
import { createFakeGateway, type FakeGateway } from "./fake-gateway.ts";
import { provisionOnce } from "./fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "./given.ts";
import { testCore, type TestCore } from "./test-core.ts";

/** A customer who has ordered an app for 50,000 Rupiah, and a gateway. */
export interface PayingCustomer extends AsyncDisposable {
  readonly core: TestCore;
  readonly ctx: CoreContext;
  readonly gateway: FakeGateway;
  readonly access: ProviderAccess;
  readonly subscriptionId: string;
  readonly instanceId: string;
  /** Of the one invoice that is open. */
  openInvoiceId(): Promise<string>;
  start(choice?: PaymentChoice, invoiceId?: string): Promise<IntentRow>;
  /** Pays the open invoice on the gateway's page and keeps the card; then the app comes up. */
  payByCard(): Promise<void>;
  topUp(amountMinor: bigint, choice?: PaymentChoice): Promise<IntentRow>;
  reconcile(intentId: string): Promise<{ readonly againMs: number | null }>;
  /** Delivers a webhook, as often as told. */
  tell(reference: string, times?: number): Promise<void>;
  /** Does what the jobs that are due would do, until none is; what waits for the gateway's back-off comes due by the clock. */
  work(): Promise<void>;
  after(ms: number): Promise<void>;
  provision(
    ...instead: Parameters<typeof provisionOnce> extends [unknown, unknown, ...infer Rest] ? Rest : never
  ): Promise<void>;
  status(): Promise<string>;
  balances(): Promise<Readonly<Record<string, bigint>>>;
}

const maxRounds = 20;

/** Does what the jobs of payments and subscriptions that are due would do, until none is. */
export async function workOffPayments(core: TestCore, access: ProviderAccess): Promise<void> {
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    const { prompted } = await sweepPayments(core.ctx);
    if ((await workRound(core, access)) === 0 && prompted === 0) return;
  }
  await sweepPayments(core.ctx);
  const left = await core.database.drizzle.execute("select key from graphile_worker.jobs order by key");
  throw new Error(`The jobs do not come to an end: ${left.map(({ key }) => String(key)).join(", ")}`);
}

/** Takes every job out of the queue and does it. */
async function workRound(core: TestCore, access: ProviderAccess): Promise<number> {
  const due = await core.database.drizzle.execute<{ task: string; payload: Record<string, string> }>(sql`
    delete from graphile_worker._private_jobs j using graphile_worker._private_tasks t
    where t.id = j.task_id and (t.identifier like 'payment:%' or t.identifier like 'refund:%'
      or t.identifier in ('invoice:collect', 'wallet:topUp', 'subscription:reconcile'))
    returning t.identifier as task, j.payload`);
  for (const { task, payload } of due) await run(core, access, task, Object.values(payload)[0] ?? "");
  return due.length;
}

async function run({ ctx }: TestCore, access: ProviderAccess, task: string, id: string): Promise<unknown> {
  switch (task) {
    case "payment:reconcile":
      return reconcilePayment(ctx, id, access);
    case "refund:reconcile":
      return reconcileRefund(ctx, id, access);
    case "invoice:collect":
      return collectInvoice(ctx, id);
    case "wallet:topUp":
      return topUpAutomatically(ctx, id);
    case "subscription:reconcile":
      return reconcileSubscription(ctx, id);
    default:
      throw new Error(`There is no ${task} here.`);
  }
}

export async function givenPayingCustomer(
  options: {
    readonly testClock?: boolean;
    readonly taxes?: readonly CreateTaxRateInput[];
    readonly usage?: string;
  } = {},
): Promise<PayingCustomer> {
  const core = await testCore({}, { paymentProviders: ["sandbox"] });
  const gateway = createFakeGateway();
  const access: ProviderAccess = { providers: [gateway], signal: new AbortController().signal };
  await givenCatalog(core.ctx, options);
  await givenMachines(core.ctx);
  for (const tax of options.taxes ?? []) await createTaxRate(core.ctx, tax);
  const { ctx } = await givenCustomer(core.ctx, options);
  const order = await givenOrder(ctx, { plan: "small" });
  const { instanceId } = order.subscription;
  const subscriptionId = order.subscription.subscription.id;
  const openInvoiceId = async (): Promise<string> => {
    const { items } = await listInvoices(ctx, {});
    const open = items.find(({ invoice }) => invoice.status === "open");
    if (open === undefined) throw new Error("No invoice is open.");
    return open.invoice.id;
  };

  const work = (): Promise<void> => workOffPayments(core, access);

  const app: PayingCustomer = {
    core,
    ctx,
    gateway,
    access,
    subscriptionId,
    instanceId,
    openInvoiceId,
    start: async (choice = { method: "checkout" }, invoiceId) =>
      startPayment(ctx, {
        ...choice,
        invoiceId: invoiceId ?? (await openInvoiceId()),
        idempotencyKey: ctx.ids.next(),
      }),
    async payByCard() {
      const { id } = await app.start({ method: "checkout", savesMethod: true });
      await work();
      gateway.pay(id);
      await app.tell(id);
      await work();
      await app.provision();
    },
    topUp: (amountMinor, choice = { method: "checkout" }) =>
      startTopUp(ctx, { ...choice, amountMinor, currency: "IDR", idempotencyKey: ctx.ids.next() }),
    reconcile: (intentId) => reconcilePayment(core.ctx, intentId, access),
    async tell(reference, times = 1) {
      const notice = gateway.notice(reference);
      for (let count = 0; count < times; count += 1) await receiveNotice(core.ctx, gateway, notice);
    },
    work,
    async after(ms) {
      core.clock.set(addMs(core.clock.now(), ms));
      await reconcileSubscription(core.ctx, subscriptionId);
      await work();
    },
    async provision(...instead) {
      await provisionOnce(core.ctx, instanceId, ...instead);
    },
    status: async () => (await getSubscription(ctx, subscriptionId)).subscription.status,
    async balances() {
      const rows = await ctx.transaction((tx) => listBalances(tx));
      return Object.fromEntries(rows.map(({ kind, balanceMinor }) => [kind, balanceMinor]));
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
  return app;
}
