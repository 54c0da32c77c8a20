import { getTableColumns, getTableName } from "drizzle-orm";
import { expect, test } from "vitest";
import { type Actor, userActor } from "../actor.ts";
import { type CoreContext, createContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { holdInstance, stopInstance } from "../instances/index.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { exportedTables, notExported } from "./exported-tables.ts";
import { exportData, type ExportedRecord } from "./index.ts";
import { givenPersonWithLife, personal } from "./test-person.ts";

async function exportAll(ctx: CoreContext, userId: string, limit = 100): Promise<readonly ExportedRecord[]> {
  const records: ExportedRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await exportData(ctx, { userId, cursor, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    records.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return records;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "none",
    (error: unknown) => (error instanceof DomainError ? error.code : String((error as Error).stack)),
  );

test("every table of the database is exported, or on the list of those that are not, with a reason", async () => {
  await using core = await testCore();
  const tables = await core.database.drizzle.execute<{ name: string }>(
    "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1",
  );
  const exported = exportedTables.map(({ table }) => getTableName(table));
  expect([...exported, ...Object.keys(notExported)].toSorted()).toEqual(tables.map(({ name }) => name));
  expect(Object.values(notExported).filter((reason) => reason === "")).toEqual([]);
});

test("no column that is named like a secret is exported, and none is left out that there is not", () => {
  const secret = /(hash|sealed|token|secret|salt|password|fingerprint|keyId|digest|chain)$/i;
  const shown = exportedTables.flatMap(({ table, without }) =>
    Object.keys(getTableColumns(table))
      .filter((name) => !without.includes(name) && secret.test(name))
      .map((name) => `${getTableName(table)}.${name}`),
  );
  expect(shown).toEqual([]);
  for (const { table, without, key } of exportedTables) {
    expect(Object.keys(getTableColumns(table))).toEqual(expect.arrayContaining([...without, key]));
  }
});

test("an export has everything about a person and the organizations that they own, of others what they did there, and no secret", async () => {
  await using core = await testCore();
  const person = await givenPersonWithLife(core);
  const records = await exportAll(person.ctx, person.userId);
  const text = JSON.stringify(records);
  for (const secret of person.secrets) expect(text).not.toContain(secret);
  for (const known of [personal.email, personal.name, personal.address, personal.userAgent, personal.taxId, "Robot"])
    expect(text).toContain(known);
  const ofTable = (table: string): readonly ExportedRecord[] => records.filter((record) => record.table === table);
  expect(ofTable("users")).toHaveLength(1);
  expect(ofTable("sessions")).toMatchObject([{ row: { clientAddress: personal.address } }]);
  expect(ofTable("organizations").map(({ organizationId }) => organizationId)).toEqual(
    [person.organizationId, person.teamId].toSorted(),
  );
  expect(ofTable("instances")).toMatchObject([{ organizationId: person.organizationId, row: { name: "Diary" } }]);
  expect(ofTable("invoices")).toMatchObject([{ row: { totalMinor: "0", customer: { email: personal.email } } }]);
  // In the team they are no owner: its other members and their doings are not theirs to take along.
  const inTeam = records.filter(({ organizationId }) => organizationId === person.teamId);
  expect(inTeam.filter(({ table }) => table === "members")).toMatchObject([{ row: { userId: person.userId } }]);
  for (const { row } of inTeam.filter(({ table }) => ["events", "audit_entries"].includes(table)))
    expect(row["actor"]).toBe(`user:${person.userId}`);
});

test("an export does not tell which operator did something and from where, nor the house's reasons", async () => {
  await using core = await testCore();
  const { ctx, userId, organizationId, instanceId } = await givenPersonWithLife(core);
  const [operatorId, address] = [core.ctx.ids.next(), "198.51.100.9"];
  const at = (actor: Actor): CoreContext =>
    createContext({ ...core.ctx }, { actor, organizationId, client: { address, userAgent: "HouseBrowser/1.0" } });
  const [reason, message] = ["Mines coins, says the pool.", "Please write to us."];
  const hold = { instanceId, kind: "abuse", reason, message, idempotencyKey: "hold-diary" } as const;
  const asThem = at(userActor(userId, "owner", null, { operatorId }));
  await stopInstance(asThem, { instanceId, idempotencyKey: "stop-diary" });
  await holdInstance(at({ type: "operator", userId: operatorId }), hold);
  const records = await exportAll(ctx, userId);
  const told = ["instance.held", "instance.stopRequested"].map((action) =>
    records.findLast(({ table, row }) => table === "audit_entries" && row["action"] === action),
  );
  expect(told).toMatchObject([
    { row: { actor: "operator", reason: null, clientAddress: null, userAgent: null } },
    { row: { actor: `user:${userId}:operator`, clientAddress: null, userAgent: null } },
  ]);
  const text = JSON.stringify(records);
  expect(text).toContain(message);
  for (const secret of [operatorId, address, "HouseBrowser", reason]) expect(text).not.toContain(secret);
});

test("pages of any size give the same records, each once", async () => {
  await using core = await testCore();
  const person = await givenPersonWithLife(core);
  // Each export writes down that it was made: compared are the others.
  const told = (records: readonly ExportedRecord[]): readonly string[] =>
    records
      .filter(({ row }) => row["type"] !== "user.dataExported" && row["action"] !== "user.dataExported")
      .map((record) => JSON.stringify(record));
  const whole = told(await exportAll(person.ctx, person.userId));
  // Of used and unused recovery codes nothing is told that makes one different from the next.
  const others = whole.filter((record) => !record.includes("recovery_codes"));
  expect(new Set(others).size).toBe(others.length);
  expect(told(await exportAll(person.ctx, person.userId, 1))).toEqual(whole);
  expect(told(await exportAll(person.ctx, person.userId, 7))).toEqual(whole);
});

test("an export is written down and allowed ten times a day, and a made-up cursor is refused in words", async () => {
  await using core = await testCore();
  const { ctx, userId } = await givenCustomer(core.ctx);
  const cursors = [
    [],
    ["", "", "", 1],
    ["not a uuid", "", "", ""],
    ["", ctx.organizationId, "no_table", ""],
    ["", ctx.organizationId, "members", '["x"]'],
    ["", ctx.organizationId, "orders", '["x"]'],
    ["", ctx.organizationId, "orders", "["],
    ["", ctx.organizationId, "orders", "[1]"],
    ["", ctx.organizationId, "uptime_days", JSON.stringify([ctx.organizationId, "2026-99-99"])],
    ["", ctx.organizationId, "orders", '["\\u0000"]'],
  ].map((place) => Buffer.from(JSON.stringify(place)).toString("base64url"));
  for (const cursor of ["?", ...cursors])
    expect([cursor, await codeOf(exportData(ctx, { userId, cursor }))]).toEqual([cursor, "INVALID_INPUT"]);
  for (let count = 1; count <= 10; count += 1) await exportData(ctx, { userId });
  expect(await codeOf(exportData(ctx, { userId }))).toBe("RATE_LIMITED");
  expect(core.observed.filter((type) => type === "user.dataExported")).toHaveLength(10);
});
