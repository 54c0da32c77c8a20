import { readdirSync, readFileSync } from "node:fs";
import { members, organizations, testClocks, users } from "@sewa/db/schema";
import { userActor } from "../actor.ts";
import { applyCatalog, listOfferings } from "../catalog/index.ts";
import { recordNodes } from "../capacity/index.ts";
import { type CoreContext, createContext } from "../context.ts";
import { createOrganizationHead } from "../events/index.ts";
import { serverDatabases } from "./test-core.ts";
import { placeOrder, quoteOrder, type OrderView } from "../orders/index.ts";

const catalogFolder = new URL("../../../blueprint/catalog/", import.meta.url);

/** The catalog that ships; `usage`, `trial` and `addons` are those of its first plan that costs money, `onePerPerson` is of its free plan. */
export async function givenCatalog(
  ctx: CoreContext,
  {
    usage = "[]",
    addons = "[]",
    trial = null,
    onePerPerson = false,
  }: {
    readonly usage?: string;
    readonly addons?: string;
    readonly trial?: string | null;
    readonly onePerPerson?: boolean;
  } = {},
): Promise<void> {
  const text = readFileSync(new URL("catalog.yaml", catalogFolder), "utf8");
  await applyCatalog(ctx, {
    catalog: text
      .replace(
        `amount: "50000" }]`,
        `amount: "50000", usage: ${usage}${trial === null ? "" : `, trial: ${trial}`} }]\n        addons: ${addons}`,
      )
      .replace(`amount: "0" }]`, `amount: "0" }]\n        onePerPerson: ${onePerPerson}`),
    blueprints: Object.fromEntries(
      readdirSync(catalogFolder)
        .filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml")
        .map((name) => [name, readFileSync(new URL(name, catalogFolder), "utf8")]),
    ),
  });
}

const gib = 1024 ** 3;

/** One control plane and two workers of 16 and 8 cores, 32 GiB each. */
export async function givenMachines(ctx: CoreContext, pool = "default"): Promise<void> {
  const machine = (name: string, role: "control-plane" | "worker", cores: number, memoryGib: number) => ({
    name,
    role,
    pool,
    ready: true,
    schedulable: true,
    allocatableCpuMillis: cores * 1_000,
    allocatableMemoryBytes: memoryGib * gib,
    conditions: [],
  });
  await recordNodes(ctx, [
    machine("pc-1", "control-plane", 24, 64),
    machine("pc-2", "worker", 16, 32),
    machine("pc-3", "worker", 8, 32),
  ]);
}

/** With room for any number of apps. */
export async function givenLargeMachines(ctx: CoreContext): Promise<void> {
  const machine = (name: string, role: "control-plane" | "worker") => ({
    name,
    role,
    pool: "default",
    ready: true,
    schedulable: true,
    allocatableCpuMillis: 100_000_000,
    allocatableMemoryBytes: 2 ** 45,
    conditions: [],
  });
  await recordNodes(ctx, [machine("pc-1", "control-plane"), machine("pc-2", "worker")]);
}

/** A verified customer with an organization; `ctx` acts as its owner. */
export async function givenCustomer(
  ctx: CoreContext,
  options: { readonly testClock?: boolean; readonly locale?: "id" | "en"; readonly email?: string } = {},
): Promise<{ readonly ctx: CoreContext; readonly organizationId: string; readonly userId: string }> {
  const organizationId = ctx.ids.next();
  const userId = ctx.ids.next();
  const bound = ctx.forOrganization(organizationId);
  await bound.transaction(async (tx) => {
    await tx.sql.insert(users).values({
      id: userId,
      email: options.email ?? `${userId}@customer.test`,
      name: "Budi",
      locale: options.locale ?? "en",
      emailVerifiedAt: tx.now,
    });
    await tx.sql.insert(organizations).values({ id: organizationId, name: "Budi's shop", timeZone: "Asia/Jakarta" });
    await tx.sql.insert(members).values({ organizationId, userId, role: "owner" });
    await createOrganizationHead(tx, organizationId);
    if (options.testClock === true) {
      await tx.sql.insert(testClocks).values({ organizationId, nowAt: tx.now, targetAt: tx.now });
    }
  });
  const db = serverDatabases.get(ctx.db) ?? ctx.db;
  return {
    ctx: createContext({ ...ctx, db }, { actor: userActor(userId, "owner"), organizationId }),
    organizationId,
    userId,
  };
}

/** Orders a plan of the catalog by its slug, as a portal does: quote first, then place. */
export async function givenOrder(
  ctx: CoreContext,
  order: {
    readonly plan?: string;
    readonly name?: string;
    readonly key?: string;
    readonly addons?: Readonly<Record<string, number>>;
    readonly couponCode?: string;
  } = {},
): Promise<OrderView> {
  const { items } = await listOfferings(ctx, {});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === (order.plan ?? "free"));
  if (plan === undefined) throw new Error("The catalog has no such plan.");
  const wish = { planId: plan.id, parameters: {}, addons: order.addons, couponCode: order.couponCode };
  const quote = await quoteOrder(ctx, wish);
  return placeOrder(ctx, {
    ...wish,
    name: order.name ?? "Status page",
    priceKey: quote.priceKey,
    idempotencyKey: order.key ?? ctx.ids.next(),
  });
}
