import { connectAsSuperuser } from "@sewa/db/testing";
import { connectDatabase } from "@sewa/db";
import { auditCheckpoints, auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, dayMs } from "../clock.ts";
import { type CoreContext, createContext } from "../context.ts";
import { record } from "../events/index.ts";
import { createKeyring } from "../keyring.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import {
  checkAudit,
  forgetPerson,
  listAuditEntries,
  resignCheckpoints,
  searchAudit,
  verifyAudit,
  writeOperatorAudit,
} from "./index.ts";

const entriesEach = 4;

/** An organization and the house, each with four entries. */
async function given(config: Parameters<typeof testCore>[0] = {}) {
  const core = await testCore(config);
  const { ctx, organizationId, userId } = await givenCustomer(core.ctx);
  const client = { address: "203.0.113.7", userAgent: "Firefox" };
  const caller = createContext(ctx, { actor: ctx.actor, organizationId, requestId: "request-1", client });
  await act(caller);
  await workOnHouse(core.ctx);
  return { core, ctx: caller, organizationId, userId, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() };
}

async function act(ctx: CoreContext): Promise<void> {
  for (let index = 1; index <= entriesEach; index += 1) {
    await ctx.transaction(async (tx) => {
      const subject = { type: "user", id: ctx.actor.type === "user" ? ctx.actor.userId : "" };
      const [before, after] = [
        { name: `Budi ${index - 1}` },
        { name: `Budi ${index}`, amount: 1n, "ünïcode\n": [1.5] },
      ];
      record(tx, { type: "organization.updated", subject, before, after, reason: "as he asked" });
    });
  }
}

async function workOnHouse(ctx: CoreContext): Promise<void> {
  for (let index = 1; index <= entriesEach; index += 1)
    await ctx.transaction(async (tx) =>
      writeOperatorAudit(tx, { action: "node.cordoned", subject: null, after: { index } }),
    );
}

async function asOwner(core: TestCore, statements: string): Promise<void> {
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(statements);
}

test("an entry says who did what to which, from where, for which request, when, and what it was before", async () => {
  await using app = await given();
  const { items } = await listAuditEntries(app.ctx, {});
  expect(items.map(({ sequence }) => sequence)).toEqual([4, 3, 2, 1]);
  expect(items[0]).toMatchObject({
    action: "organization.updated",
    actor: `user:${app.userId}`,
    subjectType: "user",
    subjectId: app.userId,
    requestId: "request-1",
    clientAddress: "203.0.113.7",
    userAgent: "Firefox",
    before: { name: "Budi 3" },
    after: { name: "Budi 4", amount: "1" },
    reason: "as he asked",
    occurredAt: app.core.clock.now(),
  });
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: entriesEach, fault: null });
  expect(await verifyAudit(app.core.ctx, null)).toMatchObject({ entries: entriesEach, fault: null });
  const first = await listAuditEntries(app.ctx, { limit: 3 });
  const second = await listAuditEntries(app.ctx, { limit: 3, cursor: first.nextCursor ?? "" });
  expect([...first.items, ...second.items]).toEqual(items);
});

test("operators search over all organizations and the house, customers see their own alone", async () => {
  await using app = await given();
  const other = await givenCustomer(app.core.ctx);
  await act(other.ctx);
  const all = await searchAudit(app.core.ctx, {});
  expect(all.items).toHaveLength(3 * entriesEach);
  expect(all.items.map(({ id }) => id)).toEqual(
    all.items
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
  );
  const page = await searchAudit(app.core.ctx, { limit: 7 });
  const rest = await searchAudit(app.core.ctx, { limit: 7, cursor: page.nextCursor ?? "" });
  expect([...page.items, ...rest.items]).toEqual(all.items);
  const count = async (search: Parameters<typeof searchAudit>[1]): Promise<number> =>
    (await searchAudit(app.core.ctx, search)).items.length;
  expect(await count({ organizationId: other.organizationId })).toBe(entriesEach);
  expect(await count({ actor: `user:${app.userId}` })).toBe(entriesEach);
  expect(await count({ action: "node.cordoned" })).toBe(entriesEach);
  expect(await count({ actor: `user:${app.userId}`, action: "node.cordoned" })).toBe(0);
  const seen = (await listAuditEntries(other.ctx, {})).items;
  expect(new Set(seen.map(({ organizationId }) => organizationId))).toEqual(new Set([other.organizationId]));
  await expect(searchAudit(app.ctx, {})).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(verifyAudit(app.ctx, app.organizationId)).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(verifyAudit(app.core.ctx, app.core.ctx.ids.next())).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("numbers have no gaps and chains no forks, however many write to one organization and to the house at once", async () => {
  await using app = await given();
  const write = (index: number): Promise<void> =>
    app.core.ctx.forOrganization(app.organizationId).transaction(async (tx) => {
      // Either order: what the house does is written last all the same, so that nobody waits in a circle.
      const both = [
        () => writeOperatorAudit(tx, { action: "node.cordoned", subject: null }),
        () => record(tx, { type: "organization.updated" }),
      ];
      for (const one of index % 2 === 0 ? both : both.toReversed()) one();
      await tx.sql.execute("select 1");
      if (index % 5 === 0) throw new Error("rolled back");
    });
  await Promise.allSettled(Array.from({ length: 30 }, (_, index) => write(index)));
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: entriesEach + 24, fault: null });
  expect(await verifyAudit(app.core.ctx, null)).toMatchObject({ entries: entriesEach + 24, fault: null });
});

test("no process changes, deletes, empties or makes up an entry", async () => {
  await using app = await given();
  for (const role of ["sewa_app", "sewa_worker", "sewa_owner"] as const) {
    await using database = connectDatabase({ url: app.core.url, role, max: 1 });
    for (const table of ["audit_entries", "operator_audit_entries"]) {
      for (const statement of [
        `update ${table} set action = 'x'`,
        `update ${table} set after = '{}'`,
        `update ${table} set client_salt = 'x'`,
        `update ${table} set client_address = '10.0.0.1', client_salt = null`,
        `delete from ${table}`,
        `truncate ${table}`,
      ]) {
        const work = database.drizzle.transaction(async (sql) => {
          await sql.execute(`select set_config('app.organization_id', '${app.organizationId}', true)`);
          await sql.execute(statement);
        });
        const refused = await work.then(
          () => null,
          (error: { readonly cause?: { readonly code?: string } }) => error.cause?.code,
        );
        expect([role, statement, refused]).toEqual([role, statement, expect.stringMatching(/^(42501|23000)$/)]);
      }
    }
  }
  // What is put in by hand becomes the next link, whatever it claims to be.
  await app.core.database.drizzle.insert(auditEntries).values({
    id: app.core.ctx.ids.next(),
    organizationId: app.organizationId,
    action: "x",
    actor: "system:worker",
    occurredAt: app.core.clock.now(),
    sequence: 2,
    chain: "a".repeat(64),
  });
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: entriesEach + 1, fault: null });
});

const second = "(select id from audit_entries where sequence = 2)";
const forgeries: Readonly<
  Record<string, { readonly sql: string; readonly named: number | null; readonly message: RegExp }>
> = {
  "who it was": {
    sql: `update audit_entries set actor = 'user:x' where id = ${second}`,
    named: 2,
    message: /not what was/,
  },
  "when it was": {
    sql: `update audit_entries set recorded_at = recorded_at - interval '1 day' where id = ${second}`,
    named: 2,
    message: /It is not what was/,
  },
  "what was changed": {
    sql: `update audit_entries set after = '{}' where id = ${second}`,
    named: 2,
    message: /details are not what was/,
  },
  "from where": {
    sql: `update audit_entries set client_address = '10.0.0.1' where id = ${second}`,
    named: 2,
    message: /details are not what was/,
  },
  "a part erased without its salt": {
    sql: `update audit_entries set client_salt = null where id = ${second}`,
    named: 2,
    message: /details are not what was/,
  },
  "an entry with its digest": {
    sql: `update audit_entries set digest = repeat('a', 64) where id = ${second}`,
    named: 2,
    message: /not what was/,
  },
  "the chain": {
    sql: `update audit_entries set chain = repeat('a', 64) where id = ${second}`,
    named: 2,
    message: /chain is broken/,
  },
  "the first away": { sql: "delete from audit_entries where sequence = 1", named: 2, message: /Number 1 is missing/ },
  "one away": { sql: `delete from audit_entries where id = ${second}`, named: 3, message: /Number 2 is missing/ },
  "the last away": { sql: "delete from audit_entries where sequence = 4", named: null, message: /head names entry 4/ },
  "one put in": {
    sql: `update audit_entries set sequence = -sequence where sequence > 1;
          update audit_entries set sequence = 1 - sequence where sequence < 0;
          insert into audit_entries select (json_populate_record(e, json_build_object('sequence', 2, 'id', gen_random_uuid()))).*
          from audit_entries e where sequence = 1`,
    named: 2,
    message: /not what was/,
  },
  "two in another order": {
    sql: `update audit_entries set sequence = -sequence where sequence in (2, 3);
          update audit_entries set sequence = 5 + sequence where sequence < 0`,
    named: 2,
    message: /not what was/,
  },
  "an entry of another organization": {
    sql: "update audit_entries set organization_id = (select id from organizations where name = 'Other') where sequence = 4",
    named: null,
    message: /head names entry 4/,
  },
};

test("who may write everything cannot change the audit unseen: the first wrong row is named", async () => {
  for (const [what, { sql: statement, named, message }] of Object.entries(forgeries)) {
    const app = await given();
    const { items } = await listAuditEntries(app.ctx, {});
    await asOwner(
      app.core,
      `insert into organizations (id, name, time_zone) values (gen_random_uuid(), 'Other', 'UTC');
       alter table audit_entries disable trigger user; alter table audit_entries drop constraint audit_entries_link;
       ${statement}`,
    );
    const { fault } = await verifyAudit(app.core.ctx, app.organizationId);
    const now = await app.core.database.drizzle.select().from(auditEntries).orderBy(asc(auditEntries.sequence));
    const row = named === null ? app.organizationId : now.find(({ sequence }) => sequence === named)?.id;
    expect([what, fault]).toMatchObject([
      what,
      { subject: { id: row }, message: expect.stringMatching(message) as string },
    ]);
    expect(items).toHaveLength(entriesEach);
    await expect(app[Symbol.asyncDispose]()).rejects.toThrow(/Broken audit/);
  }
}, 60_000);

test("who writes a whole chain anew, with its head, is found out by what was signed; so is a checkpoint of their own", async () => {
  const app = await given();
  const before = await checkAudit(app.core.ctx);
  expect(before).toEqual({ chains: 2, entries: 2 * entriesEach, faults: [], removed: 0 });
  expect(await checkAudit(app.core.ctx)).toMatchObject({ entries: 0, faults: [] });
  // The triggers chain anew what is put in anew.
  await asOwner(
    app.core,
    `create table copied as select * from audit_entries;
     alter table audit_entries disable trigger audit_entries_stay;
     delete from audit_entries; update organization_heads set audit_sequence = 0, audit_chain = '';
     update copied set actor = 'user:somebody else' where sequence = 2;
     insert into audit_entries select * from copied order by sequence`,
  );
  const [last] = (await listAuditEntries(app.ctx, {})).items;
  const fault = { subject: { type: "entry", id: last!.id }, message: expect.stringMatching(/written anew/) as string };
  expect((await verifyAudit(app.core.ctx, app.organizationId)).fault).toMatchObject(fault);
  await asOwner(
    app.core,
    "update audit_checkpoints c set chain = h.audit_chain from organization_heads h where c.organization_id = h.organization_id",
  );
  const forged = { subject: { type: "checkpoint" }, message: expect.stringMatching(/not signed by us/) as string };
  expect((await verifyAudit(app.core.ctx, app.organizationId)).fault).toMatchObject(forged);
  // A look that finds this signs nothing more of the chain.
  await act(app.ctx);
  expect((await checkAudit(app.core.ctx)).faults).toMatchObject([forged]);
  await expect(app[Symbol.asyncDispose]()).rejects.toThrow(/Broken audit/);
});

test("with all of it and its head gone, what was signed says that there was something", async () => {
  const app = await given();
  await checkAudit(app.core.ctx);
  await asOwner(
    app.core,
    `alter table audit_entries disable trigger user; delete from audit_entries;
     update organization_heads set audit_sequence = 0, audit_chain = ''`,
  );
  const { fault } = await verifyAudit(app.core.ctx, app.organizationId);
  expect(fault?.message).toBe("Entry 4 was signed, the last one is 0.");
  expect((await checkAudit(app.core.ctx)).faults).toMatchObject([{ organizationId: app.organizationId }]);
  await asOwner(app.core, "delete from audit_checkpoints where organization_id is not null");
  await app[Symbol.asyncDispose]();
});

test("old entries go from the beginning, up to a signed checkpoint that the chain starts from", async () => {
  await using app = await given({ auditRetentionMonths: 2 });
  // What was recorded now is old in three months; what is recorded then is not.
  await asOwner(
    app.core,
    `alter table audit_entries disable trigger user; delete from audit_entries;
     update organization_heads set audit_sequence = 0, audit_chain = ''; alter table audit_entries enable trigger user`,
  );
  const insert = (recordedAt: Date) =>
    app.core.database.drizzle.insert(auditEntries).values({
      id: app.core.ctx.ids.next(),
      organizationId: app.organizationId,
      action: "x",
      actor: `user:${app.userId}`,
      occurredAt: recordedAt,
      recordedAt,
    });
  const now = app.core.clock.now();
  for (const days of [90, 80, 30, 70, 1]) await insert(addMs(now, -days * dayMs));
  await asOwner(
    app.core,
    "alter table operator_audit_entries disable trigger user; update operator_audit_entries set recorded_at = recorded_at",
  );
  const checked = await checkAudit(app.core.ctx);
  expect(checked).toMatchObject({ faults: [], removed: 2 });
  // The fourth is older than it is kept, and stays: nothing is taken out of the middle.
  const { items } = await listAuditEntries(app.ctx, {});
  expect(items.map(({ sequence }) => sequence)).toEqual([5, 4, 3]);
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: 3, fault: null });
  expect(await checkAudit(app.core.ctx)).toMatchObject({ faults: [], removed: 0 });
  // All of it gets old.
  app.core.clock.set(addMs(now, 100 * dayMs));
  expect((await checkAudit(app.core.ctx)).faults).toEqual([]);
  expect((await listAuditEntries(app.ctx, {})).items).toEqual([]);
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: 0, fault: null });
  await insert(app.core.clock.now());
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: 1, fault: null });
  const [start] = await app.core.database.drizzle
    .select()
    .from(auditCheckpoints)
    .where(eq(auditCheckpoints.kind, "start"));
  expect(start).toBeDefined();
});

test("a removal that stopped in its middle is no fault, and nothing is removed of a chain that does not hold", async () => {
  const app = await given({ auditRetentionMonths: 1 });
  app.core.clock.set(addMs(new Date("2100-01-01"), 0));
  await asOwner(
    app.core,
    "alter table audit_entries disable trigger user; update audit_entries set action = 'y' where sequence = 2",
  );
  expect(await checkAudit(app.core.ctx)).toMatchObject({
    removed: entriesEach,
    faults: [{ subject: { type: "entry" } }],
  });
  expect(await app.core.database.drizzle.select().from(auditEntries)).toHaveLength(entriesEach);
  expect(await app.core.database.drizzle.select().from(operatorAuditEntries)).toEqual([]);
  await expect(app[Symbol.asyncDispose]()).rejects.toThrow(/Broken audit/);
});

test("a person who asks to be forgotten is, and the chain holds: who, what and when stays", async () => {
  await using app = await given();
  const other = await givenCustomer(app.core.ctx);
  await act(other.ctx);
  await checkAudit(app.core.ctx);
  const reason = "asked on 2 March";
  expect(await forgetPerson(app.core.ctx, { userId: app.userId, reason })).toEqual({ entries: entriesEach });
  expect(await forgetPerson(app.core.ctx, { userId: app.userId, reason })).toEqual({ entries: 0 });
  const { items } = await listAuditEntries(app.ctx, {});
  for (const entry of items) {
    expect(entry).toMatchObject({
      action: "organization.updated",
      actor: `user:${app.userId}`,
      requestId: "request-1",
    });
    expect(entry).toMatchObject({ clientAddress: null, userAgent: null, before: null, after: null, reason: null });
  }
  expect(await verifyAudit(app.core.ctx, app.organizationId)).toMatchObject({ entries: entriesEach, fault: null });
  const [kept] = (await listAuditEntries(other.ctx, {})).items;
  expect(kept).toMatchObject({ after: { name: "Budi 4" } });
  const [said] = (await searchAudit(app.core.ctx, { action: "audit.personForgotten" })).items;
  expect(said).toMatchObject({ subjectId: app.userId, after: { entries: entriesEach }, reason });
  await expect(forgetPerson(app.ctx, { userId: app.userId, reason })).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("a checkpoint that was not signed by the key that it names is not signed anew", async () => {
  const app = await given();
  await checkAudit(app.core.ctx);
  await asOwner(app.core, "update audit_checkpoints set sequence = 3 where organization_id is null");
  const keyring = createKeyring([
    { id: "k2", key: Buffer.alloc(32, 8) },
    { id: "test", key: Buffer.alloc(32, 7) },
  ]);
  const rotating = createContext({ ...app.core.ctx, keyring }, { actor: app.core.ctx.actor });

  await expect(rotating.transaction((tx) => resignCheckpoints(tx, 10))).rejects.toThrow(/is signed by the key/);
  await expect(app[Symbol.asyncDispose]()).rejects.toThrow(/Broken audit/);
});
