import { readdirSync, readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { applyCatalog, type CatalogFiles } from "../catalog/index.ts";
import { hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { listInvoices } from "../billing/index.ts";
import { collectInvoice } from "../payments/index.ts";
import { reconcileSubscription } from "../subscriptions/index.ts";
import { adjustWallet } from "../wallet/index.ts";
import { provisionOnce } from "./fake-world.ts";
import { givenCustomer, givenMachines, givenOrder } from "./given.ts";
import { type TestCore, testCore } from "./test-core.ts";

const folder = new URL("../../../blueprint/catalog/", import.meta.url);
const free = `prices: [{ currency: IDR, amount: "0" }]`;

/** 500 Rupiah for each core-hour beyond ten, and one for ten hours of running. */
export const usualUsage = `[{ meter: cpu, amount: "500", included: "10" }, { meter: running, amount: "1", per: "10" }]`;

/** The catalog that ships, with a price for use on its free plan. */
export function meteredFiles(usage: string = usualUsage, declares = ""): CatalogFiles {
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  const price = `prices: [{ currency: IDR, amount: "0", usage: ${usage} }]`;
  const texts = names.map((name) => [name, name === "uptime-kuma.yaml" ? `${read(name)}\n${declares}\n` : read(name)]);
  return {
    catalog: read("catalog.yaml").replace(free, price),
    blueprints: Object.fromEntries(texts),
  };
}

export interface MeteredApp extends AsyncDisposable {
  readonly core: TestCore;
  readonly ctx: CoreContext;
  readonly instanceId: string;
  readonly subscriptionId: string;
  /** Writes whole hours as if all their minutes had been measured, `cpuMillis` all the time. */
  run(from: Date, hours: number, cpuMillis?: number): Promise<void>;
}

/** A free app that runs, and whose use costs something. It was ordered and ready at 2026-03-02T03:00Z, a whole hour. */
export async function givenMeteredApp(
  options: {
    readonly testClock?: boolean;
    readonly usage?: string;
    readonly declares?: string;
    readonly provisions?: boolean;
  } = {},
): Promise<MeteredApp> {
  const core = await testCore();
  await applyCatalog(core.ctx, meteredFiles(options.usage, options.declares));
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx, options);
  const { subscription } = await givenOrder(ctx);
  if (options.provisions !== false) await provisionOnce(core.ctx, subscription.instanceId);
  return {
    core,
    ctx,
    instanceId: subscription.instanceId,
    subscriptionId: subscription.subscription.id,
    async run(from, hours, cpuMillis = 500) {
      await core.database.drizzle.execute(sql`
        insert into usage_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds, cpu_max_millis,
          memory_byte_seconds, memory_max_bytes, storage_covered_seconds, storage_byte_seconds, storage_max_bytes)
        select ${ctx.organizationId}, ${subscription.instanceId}, hour_at, 3600, ${cpuMillis}::bigint * 3600, ${cpuMillis}::bigint,
          3600::bigint * 1048576, 1048576, 3600, 3600::bigint * 1048576, 1048576
        from generate_series(${from.toISOString()}::timestamptz,
          ${new Date(from.getTime() + (hours - 1) * hourMs).toISOString()}::timestamptz, interval '1 hour') hour_at`);
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

/** Gives the customer as much as is open, and collects it. */
export async function payOpen({ core, ctx, subscriptionId }: MeteredApp): Promise<void> {
  const open = (await listInvoices(ctx, {})).items.find(({ invoice }) => invoice.status === "open");
  if (open === undefined) throw new Error("No invoice is open.");
  const { id, totalMinor, currency } = open.invoice;
  const gift = { amountMinor: totalMinor, currency, reason: "A gift.", idempotencyKey: ctx.ids.next() };
  await adjustWallet(core.ctx.forOrganization(ctx.organizationId ?? ""), gift);
  await collectInvoice(core.ctx, id);
  await reconcileSubscription(core.ctx, subscriptionId);
}
