import { connectDatabase, type Database } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { listChains, verifyAudit } from "../audit/index.ts";
import { type Clock, manualClock } from "../clock.ts";
import { checkBooks } from "../books/index.ts";
import { type CoreConfig, type CoreContext, type CoreDependencies, createContext, type Observer } from "../context.ts";
import { uuidV7Ids } from "../ids.ts";
import { createKeyring } from "../keyring.ts";
import { listOrganizationsWithLedger, verifyLedger } from "../ledger/index.ts";

const testConfig: CoreConfig = {
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
  maxInstancesPerOrganization: 5,
  disposableAddresses: { also: [], except: [] },
  operatorPasswordMaxAgeHours: null,
  testClocks: false,
  orphanVolumeGraceDays: 30,
  auditRetentionMonths: null,
  ledgerRetentionMonths: null,
  invoiceSeries: "INV",
  seller: null,
  roomPrice: null,
};

/** By the worker's connection of a test, that of the server: customers act with no more rights than there. */
export const serverDatabases = new WeakMap<Database, Database>();

export interface TestCore extends AsyncDisposable {
  /** System actor, bound to no organization, with the rights of the worker's role. */
  readonly ctx: CoreContext;
  readonly clock: Clock & { set(now: Date): void };
  readonly database: Database;
  readonly url: string;
  /** Types of all events, in the order of their commits. */
  readonly observed: string[];
}

/** A fresh database, a clock that stands at 2026-03-02T03:00:00Z (ten in the morning in Jakarta), and the core over both. */
export async function testCore(
  config: Partial<CoreConfig> = {},
  dependencies: Pick<CoreDependencies, "paymentProviders" | "signInProviders"> = {},
): Promise<TestCore> {
  const testDatabase = await createTestDatabase();
  const database = connectDatabase({ url: testDatabase.url, role: "sewa_worker", max: 8, lockTimeoutMs: 5_000 });
  const server = connectDatabase({ url: testDatabase.url, role: "sewa_app", max: 8, lockTimeoutMs: 5_000 });
  serverDatabases.set(database, server);
  const clock = manualClock(new Date("2026-03-02T03:00:00.000Z"));
  const observed: string[] = [];
  const observer: Observer = { event: ({ type }) => observed.push(type) };
  const ctx = createContext(
    {
      db: database,
      clock,
      ids: uuidV7Ids({ now: () => new Date() }),
      keyring: createKeyring([{ id: "test", key: Buffer.alloc(32, 7) }]),
      config: { ...testConfig, ...config },
      observer,
      ...dependencies,
    },
    { actor: { type: "system", name: "worker" } },
  );
  return {
    ctx,
    clock,
    database,
    url: testDatabase.url,
    observed,
    async [Symbol.asyncDispose]() {
      try {
        await requireTrueBooks(ctx);
        await requireTrueAudit(ctx);
      } finally {
        await Promise.all([database.close(), server.close()]);
        await testDatabase[Symbol.asyncDispose]();
      }
    },
  };
}

/** Whatever a test was about: it must not leave money behind that does not add up. What is late is the test's own affair. */
async function requireTrueBooks(ctx: CoreContext): Promise<void> {
  const findings = (await checkBooks(ctx)).filter(({ check }) => check.kind === "books");
  const organizationIds = await listOrganizationsWithLedger(ctx);
  const faults = [];
  // One by one: there may be more of them than connections.
  for (const id of organizationIds) {
    const { fault } = await verifyLedger(ctx, id);
    if (fault !== null) faults.push(fault);
  }
  if (findings.length + faults.length > 0) throw new Error(`Broken books: ${JSON.stringify([...findings, ...faults])}`);
}

async function requireTrueAudit(ctx: CoreContext): Promise<void> {
  const faults: unknown[] = [];
  for (const owner of await listChains(ctx)) faults.push((await verifyAudit(ctx, owner)).fault ?? []);
  if (faults.flat().length > 0) throw new Error(`Broken audit: ${JSON.stringify(faults.flat())}`);
}
