import { connectDatabase, databaseErrorOf } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { auditEntries, booksFindings, booksRuns, invoices, subscriptions } from "@sewa/db/schema";
import { and, asc, eq, isNull, like } from "drizzle-orm";
import { expect, test } from "vitest";
import { parkOrganization } from "../accounts/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { advanceClock, stepClock } from "../clocks/index.ts";
import { createContext } from "../context.ts";
import { getInstance, startInstance, stopInstance } from "../instances/index.ts";
import { cancelNow, reconcileSubscription, renewSubscription } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { booksChecks, checkBooks, runBooksCheck, unpark } from "./index.ts";
import { lookAtBooks } from "./look-at-books.ts";
import { getParking } from "./queries.ts";
import {
  givenPaidApp,
  givenTwoCustomers,
  type PaidApp,
  payOpenInvoices,
  takeGuardsDown,
  violationsOf,
  workOff,
} from "./test-books.ts";

/** Where the violations write. */
const spoilt = [
  "ledger_accounts",
  "ledger_transactions",
  "ledger_entries",
  "invoices",
  "invoice_lines",
  "payments",
  "refunds",
  "credit_notes",
  "payment_intents",
  "billing_periods",
  "subscriptions",
  "instances",
  "usage_samples",
  "usage_hours",
  "usage_records",
  "coupons",
];

/** Breaks and mends what the guards keep whole. The books of the house are its own affair afterwards. */
async function openOwner(core: TestCore) {
  const owner = connectAsSuperuser(core.url);
  await takeGuardsDown(owner.drizzle);
  return {
    async spoil(statement: string) {
      for (const table of spoilt) await owner.drizzle.execute(`create table kept_${table} as table ${table}`);
      await owner.drizzle.execute(statement);
    },
    async mend() {
      for (const table of spoilt) {
        await owner.drizzle.execute(`truncate ${table}`);
        await owner.drizzle.execute(`insert into ${table} select * from kept_${table}`);
        await owner.drizzle.execute(`drop table kept_${table}`);
      }
    },
    [Symbol.asyncDispose]: () => owner.close(),
  };
}

const names = new Map<string, string>();
const nameOf = (id: string | null): string => (id === null ? "house" : (names.get(id) ?? id));

async function parkedNow(core: TestCore): Promise<readonly string[]> {
  const rows = await core.database.drizzle.execute<{ id: string }>(
    "select id from organizations where parked_at is not null",
  );
  return rows.map(({ id }) => nameOf(id)).toSorted();
}

test(
  "what is wrong parks whose books it is and no neighbour; what is late or the house's parks nobody; what is mended is unparked",
  { timeout: 180_000 },
  async () => {
    const { core, it, neighbour } = await givenTwoCustomers();
    await using _ = core;
    await using owner = await openOwner(core);
    names.set(it.organizationId, "it").set(neighbour.organizationId, "neighbour");
    const everybody = [it, neighbour].map(({ organizationId }) => organizationId);
    expect((await runBooksCheck(core.ctx, { mode: "whole" }))?.run).toMatchObject({ organizations: 2, findings: 0 });
    const expected = { it: ["it"], both: ["it", "neighbour"], nobody: [] };
    for (const [id, { statement, concerns }] of Object.entries(
      violationsOf(it.organizationId, neighbour.organizationId),
    )) {
      await owner.spoil(statement);
      const outcome = await runBooksCheck(core.ctx, { mode: "whole" });
      const found = outcome!.opened.filter(({ checkId }) => checkId === id);
      expect([id, found.length > 0]).toEqual([id, true]);
      const { by, kind } = booksChecks.find((check) => check.id === id)!;
      const concerned = by === "house" ? ["house"] : concerns === "both" ? ["it", "neighbour"] : ["it"];
      const named = new Set(found.map(({ organizationId }) => nameOf(organizationId)));
      expect([id, [...named].toSorted()]).toEqual([id, concerned]);
      expect([id, found[0]!.kind]).toEqual([id, kind]);
      expect([id, await parkedNow(core)]).toEqual([id, expected[concerns]]);

      for (const organizationId of concerns === "nobody" ? [] : [it.organizationId]) {
        const early = unpark(core.ctx, { organizationId, reason: "It looks right." });
        await expect(early).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
      }
      await owner.mend();
      for (const organizationId of everybody) await unpark(core.ctx, { organizationId, reason: "Mended by hand." });
      await runBooksCheck(core.ctx, { mode: "whole" });
      expect([id, await parkedNow(core)]).toEqual([id, []]);
      expect([id, await core.database.drizzle.$count(booksFindings, isNull(booksFindings.resolvedAt))]).toEqual([
        id,
        0,
      ]);
    }
  },
);

/** Makes one line of an invoice wrong, and right again; all other guards stand. */
async function openLine(core: TestCore, { organizationId }: { readonly organizationId: string }) {
  const owner = connectAsSuperuser(core.url);
  const write = (quantity: number) =>
    owner.drizzle.execute(
      `update invoice_lines set quantity = ${quantity} where kind = 'plan' and organization_id = '${organizationId}'`,
    );
  await owner.drizzle.execute("alter table invoice_lines drop constraint invoice_lines_amount");
  return {
    spoil: () => write(2),
    mend: () => write(1),
    [Symbol.asyncDispose]: () => owner.close(),
  };
}

test("only who has changed is asked about, and who has something open; the night finds what was changed unseen", async () => {
  const { core, it, neighbour } = await givenTwoCustomers();
  await using _ = core;
  await using line = await openLine(core, it);
  const asked = async () => (await runBooksCheck(core.ctx, { mode: "recent" }))!.run.organizations;
  expect(await asked()).toBe(2);
  expect(await asked()).toBe(0);
  await stopInstance(it.ctx, { instanceId: it.instanceId, idempotencyKey: "stop-0001" });
  expect(await asked()).toBe(1);
  expect(await asked()).toBe(0);

  // No event tells of it.
  await line.spoil();
  expect(await asked()).toBe(0);
  expect((await runBooksCheck(core.ctx, { mode: "whole" }))!.parked).toEqual([
    { organizationId: it.organizationId, reason: "M10" },
  ]);
  // Asking about somebody else says nothing about what stands here.
  await park(core, neighbour);
  await release(core, neighbour);
  expect(await runBooksCheck(core.ctx, { mode: "recent" })).toMatchObject({ opened: [], run: { findings: 2 } });
  await line.mend();
  expect((await runBooksCheck(core.ctx, { mode: "recent" }))!.run).toMatchObject({ organizations: 1, resolved: 2 });
  // Nobody but an operator ends it.
  expect((await getParking(core.ctx, it.organizationId)).parkedAt).not.toBeNull();
  await unpark(core.ctx, { organizationId: it.organizationId, reason: "Mended by hand." });
  const modes = await core.database.drizzle.select({ mode: booksRuns.mode }).from(booksRuns).orderBy(asc(booksRuns.id));
  const asks = modes.map(({ mode }) => mode);
  expect(asks.slice(-5)).toEqual(["whole", "organization", "recent", "recent", "organization"]);
});

test("a check that could not park is made good by the next one, and two do not ask at once", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  await using line = await openLine(core, it);
  await line.spoil();
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.transaction(async (other) => {
    await other.execute("lock table books_findings in share row exclusive mode");
    await using hurried = connectDatabase({ url: core.url, role: "sewa_worker", max: 2, lockTimeoutMs: 100 });
    const ctx = createContext({ ...core.ctx, db: hurried }, { actor: core.ctx.actor });
    expect(await runBooksCheck(ctx, { mode: "whole" })).toBeNull();
  });
  await lookAtBooks(core.ctx, { mode: "whole" });
  expect((await getParking(core.ctx, it.organizationId)).parkedAt).toBeNull();
  const next = await runBooksCheck(core.ctx, { mode: "recent" });
  expect(next).toMatchObject({ opened: [], parked: [{ organizationId: it.organizationId, reason: "M10" }] });
  await line.mend();
});

const park = (core: TestCore, { organizationId }: { readonly organizationId: string }) =>
  core.ctx.forOrganization(organizationId).transaction((tx) => parkOrganization(tx, "M10"));
const release = (core: TestCore, { organizationId }: { readonly organizationId: string }) =>
  unpark(core.ctx, { organizationId, reason: "Looked at." });

/** Days as a worker works them: what is due is found and done. */
async function days(core: TestCore, count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    core.clock.set(addMs(core.clock.now(), dayMs));
    await workOff(core);
  }
}

async function lifeOf(core: TestCore, { subscriptionId, ctx, instanceId }: PaidApp) {
  const [row] = await core.database.drizzle.select().from(subscriptions).where(eq(subscriptions.id, subscriptionId));
  const asked = await core.database.drizzle.$count(invoices, eq(invoices.subscriptionId, subscriptionId));
  const { instance } = await getInstance(ctx, instanceId);
  return { status: row!.status, periodIndex: row!.periodIndex, asked, phase: instance.desiredPhase };
}

test(
  "for forty days a parked customer is neither charged, renewed nor expired and its app runs on; then all is caught up, each period once",
  { timeout: 120_000 },
  async () => {
    const { core, it, neighbour } = await givenTwoCustomers();
    await using _ = core;
    await using line = await openLine(core, it);
    await line.spoil();
    await runBooksCheck(core.ctx, { mode: "whole" });
    const atFirst = { status: "active", periodIndex: 0, asked: 2, phase: "running" };
    expect(await lifeOf(core, it)).toEqual(atFirst);
    expect(await lifeOf(core, neighbour)).toEqual(atFirst);

    await days(core, 40);
    // A prompt may come at any time.
    await reconcileSubscription(core.ctx, it.subscriptionId);
    // Time has passed: who is not parked and did not pay has lost its app.
    expect(await lifeOf(core, neighbour)).toMatchObject({ status: "cancelled", phase: "absent" });
    expect(await lifeOf(core, it)).toEqual(atFirst);
    const parked = { code: "ACCOUNT_PARKED" };
    await expect(payOpenInvoices(core, it.ctx, it.organizationId)).rejects.toMatchObject(parked);
    for (const plan of ["free", "small"]) await expect(givenOrder(it.ctx, { plan })).rejects.toMatchObject(parked);
    // What is its own affair goes on.
    await stopInstance(it.ctx, { instanceId: it.instanceId, idempotencyKey: "stop-0001" });
    await provisionOnce(core.ctx, it.instanceId);
    await startInstance(it.ctx, { instanceId: it.instanceId, idempotencyKey: "start-001" });
    expect(await lifeOf(core, it)).toEqual(atFirst);

    await expect(release(core, it)).rejects.toMatchObject({
      code: "INVALID_TRANSITION",
      message: expect.stringContaining("M10"),
    });
    await line.mend();
    await release(core, it);
    await workOff(core);
    expect(await lifeOf(core, it)).toMatchObject({ status: "past_due", phase: "running" });
    for (let payments = 0; payments < 2; payments += 1) {
      await payOpenInvoices(core, it.ctx, it.organizationId);
      await workOff(core);
    }
    expect(await lifeOf(core, it)).toMatchObject({ status: "active", periodIndex: 2, phase: "running" });
    const charged = await core.database.drizzle
      .select({ index: invoices.periodIndex, status: invoices.status })
      .from(invoices)
      .where(eq(invoices.subscriptionId, it.subscriptionId))
      .orderBy(asc(invoices.periodIndex));
    expect(charged).toEqual([0, 1, 2].map((index) => ({ index, status: "paid" })));
    expect(await checkBooks(core.ctx)).toEqual([]);
    const said = await core.database.drizzle
      .select({ action: auditEntries.action, reason: auditEntries.reason })
      .from(auditEntries)
      .where(and(eq(auditEntries.organizationId, it.organizationId), like(auditEntries.action, "organization.%")))
      .orderBy(asc(auditEntries.id));
    expect(said).toEqual([
      { action: "organization.parked", reason: "M10" },
      { action: "organization.unparked", reason: "Looked at." },
    ]);
  },
);

test("whoever could not pay while it was parked has seven days for it, then time goes on as ever", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  await park(core, it);
  await days(core, 40);
  await release(core, it);
  await workOff(core);
  await days(core, 6);
  expect(await lifeOf(core, it)).toMatchObject({ status: "past_due", phase: "running" });
  await days(core, 2);
  expect(await lifeOf(core, it)).toMatchObject({ status: "expired", phase: "stopped" });
});

test("data whose grace ended while its owner could not pay is kept for seven days more, and can be had back", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  await days(core, 8);
  await provisionOnce(core.ctx, it.instanceId);
  expect(await lifeOf(core, it)).toMatchObject({ status: "expired" });
  await park(core, it);
  await days(core, 60);
  await release(core, it);
  await workOff(core);
  await days(core, 6);
  const { subscriptionId } = it;
  await renewSubscription(it.ctx, { subscriptionId, idempotencyKey: "renew-001" });
  await payOpenInvoices(core, it.ctx, it.organizationId);
  expect(await lifeOf(core, it)).toMatchObject({ status: "active", phase: "running" });
});

test("an order that could not be paid while parked can be paid for a day, and then comes to nothing", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  const order = await givenOrder(it.ctx, { plan: "small", name: "Second" });
  const { id: subscriptionId } = order.subscription.subscription;
  const second = { ...it, subscriptionId, instanceId: order.subscription.instanceId };
  await park(core, it);
  await days(core, 3);
  await release(core, it);
  await workOff(core);
  expect(await lifeOf(core, second)).toMatchObject({ status: "pending" });
  await days(core, 1);
  expect(await lifeOf(core, second)).toMatchObject({ status: "cancelled" });
});

test("while parked no money goes back, and where none would move a customer may leave", async () => {
  const { core, it, neighbour } = await givenTwoCustomers();
  await using _ = core;
  await payOpenInvoices(core, it.ctx, it.organizationId);
  for (const customer of [it, neighbour]) await park(core, customer);
  const leave = ({ ctx, subscriptionId }: PaidApp) =>
    cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await expect(leave(it)).rejects.toMatchObject({ code: "ACCOUNT_PARKED" });
  expect(await lifeOf(core, it)).toMatchObject({ status: "active", phase: "running" });
  await leave(neighbour);
  expect(await lifeOf(core, neighbour)).toMatchObject({ status: "cancelled", phase: "absent" });
});

test("a test clock does not stand still because its organization is parked", async () => {
  const core = await testCore();
  await using _ = core;
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const it = await givenPaidApp(core, { testClock: true });
  await park(core, it);
  const to = addMs(core.clock.now(), 40 * dayMs);
  await advanceClock(it.ctx, { to });
  // One run of the job passes so many mornings and no more.
  expect(await stepClock(core.ctx, it.organizationId)).toEqual({ arrived: false });
  expect(await stepClock(core.ctx, it.organizationId)).toEqual({ arrived: true });
  expect(await lifeOf(core, it)).toEqual({ status: "active", periodIndex: 0, asked: 1, phase: "running" });
  await release(core, it);
  await workOff(core);
  expect(await lifeOf(core, it)).toMatchObject({ status: "past_due", asked: 2, phase: "running" });
});

test("the database itself lets no money of a parked organization be asked for or taken, by server, worker or owner", async () => {
  const { core, it } = await givenTwoCustomers();
  await using _ = core;
  await payOpenInvoices(core, it.ctx, it.organizationId);
  await park(core, it);
  for (const role of ["sewa_app", "sewa_worker", "sewa_owner"] as const) {
    await using database = connectDatabase({ url: core.url, role, max: 1 });
    for (const table of ["invoices", "payment_intents", "payments", "billing_periods"]) {
      const copied = `insert into ${table} select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).*
        from ${table} r where organization_id = '${it.organizationId}' limit 1`;
      const refused: unknown = await database.drizzle
        .transaction(async (transaction) => {
          await transaction.execute(`set local app.organization_id = '${it.organizationId}'`);
          await transaction.execute(copied);
        })
        .catch((error: unknown) => error);
      expect([role, table, databaseErrorOf(refused)?.code]).toEqual([role, table, "23000"]);
    }
  }
});
