import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import {
  applyCatalog,
  type CoreContext,
  createContext,
  createKeyring,
  createOrganizationHead,
  listOfferings,
  quoteOrder,
  recordNodes,
  systemClock,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase, type Database } from "@sewa/db";
import { members, organizations, users } from "@sewa/db/schema";
import { startTestPostgres, type TestPostgres } from "@sewa/db/testing";

/** More than any benchmark has clients, so that none of them waits for a connection. */
const connections = 20;

/** A house to measure: a migrated database, the catalog that ships, and machines that never run out. */
export interface House extends AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly database: Database;
  /** Of the database, for connections with other rights. */
  readonly url: string;
  /** The system, bound to no organization. */
  readonly ctx: CoreContext;
  /** What PostgreSQL says of itself, by name of the setting. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Customer {
  readonly ctx: CoreContext;
  readonly organizationId: string;
}

export async function openHouse(): Promise<House> {
  const postgres = await startTestPostgres({ mayUseMemory: false });
  const created = await postgres.createDatabase();
  const database = connectDatabase({
    url: created.url,
    role: "sewa_worker",
    max: connections,
    applicationName: "sewa-bench",
  });
  const ctx = createContext(
    {
      db: database,
      clock: systemClock,
      ids: uuidV7Ids(systemClock),
      keyring: createKeyring([{ id: "bench", key: randomBytes(32) }]),
      config: {
        appsDomain: "apps.test",
        appsScheme: "http",
        appsPort: null,
        portalUrl: "http://portal.test",
        currency: "IDR",
        timeZone: "Asia/Jakarta",
        orderTtlHours: 24,
        renewalLeadDays: 7,
        reminderHour: 9,
        memoryReservePercent: 35,
        cpuReservePercent: 15,
        // One organization orders as much as it can; the limit is not what is measured.
        maxInstancesPerOrganization: 1_000_000,
        disposableAddresses: { also: [], except: [] },
        operatorPasswordMaxAgeHours: null,
        testClocks: false,
        orphanVolumeGraceDays: 30,
        auditRetentionMonths: null,
        ledgerRetentionMonths: null,
        invoiceSeries: "INV",
        seller: null,
        roomPrice: null,
      },
      observer: { event: () => undefined },
    },
    { actor: { type: "system", name: "worker" } },
  );
  await fillHouse(ctx);
  return {
    postgres,
    database,
    url: created.url,
    ctx,
    settings: await readSettings(database),
    async [Symbol.asyncDispose]() {
      await database.close();
      await created[Symbol.asyncDispose]();
      await postgres.stop();
    },
  };
}

async function fillHouse(ctx: CoreContext): Promise<void> {
  const catalogFolder = new URL("../packages/blueprint/catalog/", import.meta.url);
  const read = (file: string): string => readFileSync(new URL(file, catalogFolder), "utf8");
  const names = readdirSync(catalogFolder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  await applyCatalog(ctx, {
    catalog: read("catalog.yaml"),
    blueprints: Object.fromEntries(names.map((name) => [name, read(name)])),
  });
  await recordNodes(ctx, [
    {
      name: "endless",
      role: "worker",
      pool: "default",
      ready: true,
      schedulable: true,
      allocatableCpuMillis: 1e11,
      allocatableMemoryBytes: 1e14,
      conditions: [],
    },
  ]);
}

async function readSettings(database: Database): Promise<Readonly<Record<string, string>>> {
  const rows = await database.drizzle.execute<{ name: string; setting: string }>(
    `select name, setting from pg_settings
     where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers') order by name`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

/** Written straight into the tables: registering hashes a password, which costs more than everything that is measured here. */
export async function openCustomers(ctx: CoreContext, count: number): Promise<readonly [Customer, ...Customer[]]> {
  const open = async (): Promise<Customer> => {
    const organizationId = ctx.ids.next();
    const userId = ctx.ids.next();
    const bound = ctx.forOrganization(organizationId);
    await bound.transaction(async (tx) => {
      const user = { id: userId, email: `${userId}@customer.test`, name: "Budi", locale: "en" as const };
      await tx.sql.insert(users).values({ ...user, emailVerifiedAt: tx.now });
      await tx.sql.insert(organizations).values({ id: organizationId, name: "Budi's shop", timeZone: "Asia/Jakarta" });
      await tx.sql.insert(members).values({ organizationId, userId, role: "owner" });
      await createOrganizationHead(tx, organizationId);
    });
    return { ctx: bound.as({ type: "user", userId, role: "owner" }), organizationId };
  };
  const first = await open();
  return [first, ...(await Promise.all(Array.from({ length: count - 1 }, open)))];
}

/** The free plan, and the price that a quote names. */
export async function readFreePlan(ctx: CoreContext): Promise<{ readonly planId: string; readonly priceKey: string }> {
  const { items } = await listOfferings(ctx, {});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "free");
  if (plan === undefined) throw new Error("The catalog has no free plan.");
  const { priceKey } = await quoteOrder(ctx, { planId: plan.id, parameters: {} });
  return { planId: plan.id, priceKey };
}

/** An idempotency key that nobody has used. */
export function newKey(): string {
  return randomUUID();
}
