import { readdirSync, readFileSync } from "node:fs";
import { capacityHolds, instanceChanges, invoices, nodePools } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { applyCatalog, listOfferings, type Plan } from "../catalog/index.ts";
import { addMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { getInstance } from "../instances/index.ts";
import { getSubscription, reconcileSubscription, recordPayment } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import {
  type ChangeRequest,
  type ChangeView,
  executePlan,
  getChange,
  loadPreview,
  planChange,
  type Preview,
  recordPreview,
  reconcileChange,
} from "./index.ts";

const catalogFolder = new URL("../../../blueprint/catalog/", import.meta.url);

export interface TestPlan {
  readonly slug: string;
  readonly amount: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
  readonly interval?: "P30D" | "P1M";
  readonly pool?: string;
  readonly pastDueDays?: number;
  /** More of its price, as the catalog says it. */
  readonly price?: string;
  readonly onePerPerson?: boolean;
  /** Its add-ons, as the catalog says them. */
  readonly addons?: string;
}

/** Plans of Uptime Kuma beside one another; `free` is the smallest. */
export const usualPlans: readonly TestPlan[] = [
  { slug: "free", amount: "0" },
  { slug: "roomy", amount: "0", cpu: "200m", memory: "512Mi", storage: "2Gi" },
  { slug: "small", amount: "50000", cpu: "250m", memory: "512Mi", storage: "4Gi" },
  { slug: "large", amount: "120000", cpu: "1", memory: "2Gi", storage: "4Gi" },
  { slug: "monthly", amount: "60000", interval: "P1M" },
  { slug: "elsewhere", amount: "0", pool: "gpu" },
];

export async function applyPlans(
  ctx: CoreContext,
  options: { readonly plans?: readonly TestPlan[]; readonly blueprint?: (source: string) => string } = {},
): Promise<void> {
  const read = (name: string): string => readFileSync(new URL(name, catalogFolder), "utf8");
  const plans = (options.plans ?? usualPlans).map(
    ({
      slug,
      amount,
      cpu = "100m",
      memory = "256Mi",
      storage = "1Gi",
      interval = "P30D",
      pool = "default",
      pastDueDays = 0,
      price = "",
      addons = "[]",
      onePerPerson = false,
    }) => `
      - slug: ${slug}
        name: ${slug}
        limits: { cpuRequest: ${cpu}, cpuLimit: "2", memoryRequest: ${memory}, memoryLimit: 4Gi, storage: ${storage} }
        interval: ${interval}
        gracePeriodDays: 30
        pastDueDays: ${pastDueDays}
        nodePool: ${pool}
        prices: [{ currency: IDR, amount: "${amount}"${price} }]
        onePerPerson: ${onePerPerson}
        addons: ${addons}`,
  );
  const shipped = read("catalog.yaml");
  const others = shipped.slice(shipped.indexOf("  - slug: ghost"));
  const names = readdirSync(catalogFolder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  const blueprints = Object.fromEntries(names.map((name) => [name, read(name)]));
  const change = options.blueprint ?? ((source) => source);
  await applyCatalog(ctx, {
    catalog: `currency: IDR\nofferings:\n  - slug: uptime-kuma\n    name: Uptime Kuma\n    blueprint: uptime-kuma.yaml\n    plans:${plans.join("")}\n${others}`,
    blueprints: { ...blueprints, "uptime-kuma.yaml": change(blueprints["uptime-kuma.yaml"] ?? "") },
  });
}

/** A cluster in which one Deployment would change, and nothing is refused. */
export const usualPreview: Preview = {
  worldHash: "world-1",
  objects: [{ kind: "Deployment", name: "app", action: "changed", fields: ["spec.template.spec"], isRestarting: true }],
  volumes: [],
  refusals: [],
};

export interface TestApp extends AsyncDisposable {
  readonly core: TestCore;
  readonly ctx: CoreContext;
  readonly instanceId: string;
  readonly subscriptionId: string;
  plan(slug: string): Promise<Plan>;
  /** Plans a change, and lets a worker look. */
  planned(request: ChangeRequest, preview?: Preview): Promise<ChangeView>;
  resize(slug: string, preview?: Preview): Promise<ChangeView>;
  look(changeId: string, preview?: Preview): Promise<ChangeView>;
  approve(view: ChangeView, input?: { readonly confirmName?: string; readonly key?: string }): Promise<ChangeView>;
  /** A cluster that does at once what is wanted. */
  provision(instead?: Parameters<typeof provisionOnce>[2]): Promise<unknown>;
  change(changeId: string): Promise<ChangeView>;
  instance(): Promise<Awaited<ReturnType<typeof getInstance>>["instance"]>;
  subscription(): Promise<Awaited<ReturnType<typeof getSubscription>>["subscription"]>;
  /** Room that the app holds: millis and MiB. */
  held(): Promise<readonly [number, number] | null>;
  /** Room that is held in the pool; the same, unless something leaks. */
  pool(): Promise<readonly [number, number]>;
  /** `reason status total`, in order. */
  invoices(): Promise<readonly string[]>;
  changes(): Promise<readonly string[]>;
}

const mib = 2 ** 20;

/** An app that runs on a plan, in a house of its own or in another app's. */
export async function givenApp(
  plan = "free",
  within?: TestCore,
  testClock = false,
  plans = usualPlans,
): Promise<TestApp> {
  const core = within ?? (await testCore());
  if (within === undefined) {
    await givenMachines(core.ctx, "gpu");
    await givenMachines(core.ctx);
    await applyPlans(core.ctx, { plans });
  }
  const { ctx } = await givenCustomer(core.ctx, { testClock });
  const planOf = async (slug: string): Promise<Plan> => {
    const { items } = await listOfferings(ctx, {});
    const found = items.flatMap(({ plans }) => plans).find((known) => known.slug === slug);
    if (found === undefined) throw new Error(`There is no plan ${slug}.`);
    return found;
  };
  const order = await givenOrder(ctx, { plan });
  const { instanceId } = order.subscription;
  const subscriptionId = order.subscription.subscription.id;
  const { drizzle } = core.database;
  const look = async (changeId: string, preview: Preview = usualPreview): Promise<ChangeView> => {
    for (;;) {
      if ((await loadPreview(core.ctx, changeId)) === null) throw new Error("There is nothing to look at.");
      // Volumes that stay as large as they are are no longer refused.
      const { keepsStorage } = (await getChange(ctx, changeId)).change;
      const seen = keepsStorage ? { ...preview, refusals: [] } : preview;
      if ((await recordPreview(core.ctx, changeId, seen)) === "done") return getChange(ctx, changeId);
    }
  };
  const app: TestApp = {
    core,
    ctx,
    instanceId,
    subscriptionId,
    plan: planOf,
    look,
    async planned(request, preview) {
      const { change } = await planChange(ctx, { instanceId, request, idempotencyKey: ctx.ids.next() });
      return look(change.id, preview);
    },
    resize: async (slug, preview) => app.planned({ kind: "resize", planId: (await planOf(slug)).id }, preview),
    approve: ({ change }, { confirmName, key } = {}) =>
      executePlan(ctx, {
        changeId: change.id,
        hash: change.hash ?? "",
        ...(confirmName === undefined ? {} : { confirmName }),
        idempotencyKey: key ?? ctx.ids.next(),
      }),
    provision: (instead) => provisionOnce(core.ctx, instanceId, instead),
    change: (changeId) => getChange(ctx, changeId),
    instance: async () => (await getInstance(ctx, instanceId)).instance,
    subscription: async () => (await getSubscription(ctx, subscriptionId)).subscription,
    async held() {
      const [hold] = await drizzle.select().from(capacityHolds).where(eq(capacityHolds.instanceId, instanceId));
      return hold === undefined ? null : [hold.cpuMillis, hold.memoryBytes / mib];
    },
    async pool() {
      const [pool] = await drizzle.select().from(nodePools).where(eq(nodePools.name, "default"));
      return [pool?.heldCpuMillis ?? 0, (pool?.heldMemoryBytes ?? 0) / mib];
    },
    invoices: async () =>
      (
        await drizzle
          .select()
          .from(invoices)
          .where(eq(invoices.subscriptionId, subscriptionId))
          .orderBy(asc(invoices.id))
      ).map(({ reason, status, totalMinor }) => `${reason} ${status} ${totalMinor}`),
    changes: async () =>
      (
        await drizzle
          .select()
          .from(instanceChanges)
          .where(eq(instanceChanges.instanceId, instanceId))
          .orderBy(asc(instanceChanges.id))
      ).map(({ kind, status, reason }) => `${kind} ${status}${reason === null ? "" : ` ${reason}`}`),
    [Symbol.asyncDispose]: () => (within === undefined ? core[Symbol.asyncDispose]() : Promise.resolve()),
  };
  return app;
}

/** Pays the newest open invoice, as an operator who sees it on the bank's statement. */
export async function pay(app: TestApp): Promise<void> {
  const { drizzle } = app.core.database;
  const open = await drizzle
    .select()
    .from(invoices)
    .where(eq(invoices.subscriptionId, app.subscriptionId))
    .orderBy(asc(invoices.id));
  const invoice = open.findLast(({ status }) => status === "open");
  if (invoice === undefined) throw new Error("Nothing is to be paid.");
  await recordPayment(app.core.ctx.forOrganization(invoice.organizationId), {
    invoiceId: invoice.id,
    amountMinor: invoice.totalMinor,
    currency: invoice.currency,
    reference: `BANK-${invoice.id}`,
    idempotencyKey: app.ctx.ids.next(),
  });
}

export async function paidApp(plan: string, within?: TestCore, plans = usualPlans): Promise<TestApp> {
  const app = await givenApp(plan, within, false, plans);
  if (plan !== "free") await pay(app);
  await app.provision();
  return app;
}

export async function after(app: TestApp, ms: number): Promise<void> {
  app.core.clock.set(addMs(app.core.clock.now(), ms));
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  await reconcileChange(app.core.ctx, app.instanceId);
}
