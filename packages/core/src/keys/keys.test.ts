import { connectAsSuperuser } from "@sewa/db/testing";
import { dataKeys, instanceSecrets, keyRotations, paymentMethods, secondFactors } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { type CoreContext, createContext } from "../context.ts";
import { createKeyring, type Key } from "../keyring.ts";
import { beginTotp } from "../accounts/index.ts";
import { checkAudit } from "../audit/index.ts";
import { checkLedgers } from "../books/index.ts";
import { record } from "../events/index.ts";
import { revealCredentials } from "../instances/index.ts";
import { post, verifyLedger } from "../ledger/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { countKeys, openSecret, requireKeys, rewrapKeys, rotateKeys, sealSecret } from "./index.ts";
import { sealedThings, secondFactorContext } from "./sealed-things.ts";

const key = (id: string, byte: number): Key => ({ id, key: Buffer.alloc(32, byte) });
const [old, recent] = [key("test", 7), key("k2", 8)];

/** The same work in a process that was started with other keys. */
function withKeys(ctx: CoreContext, ...keys: readonly Key[]): CoreContext {
  const { actor, organizationId } = ctx;
  return createContext({ ...ctx, keyring: createKeyring(keys) }, { actor, organizationId });
}

async function givenLedger(ctx: CoreContext): Promise<void> {
  const about = { kind: "wallet_adjusted", source: { type: "adjustment", id: ctx.ids.next() }, key: "gift" } as const;
  const posting = { ...about, debit: "goodwill", credit: "wallet", amountMinor: 5n, currency: "IDR" } as const;
  await ctx.transaction(async (tx) => post(tx, posting));
}

/** A saved card; its id. The token is `token of <id>`. */
async function givenCard(ctx: CoreContext): Promise<string> {
  const id = ctx.ids.next();
  await ctx.transaction(async (tx) => {
    const closed = await sealSecret(tx, { table: "payment_methods", id }, `token of ${id}`);
    await insertCard(ctx, tx.sql, { id, ...closed });
  });
  return id;
}

async function insertCard(
  { organizationId, clock }: CoreContext,
  db: Pick<CoreContext["db"]["drizzle"], "insert">,
  card: { readonly id: string; readonly keyId: string; readonly sealed: string },
): Promise<void> {
  const values = { provider: "sandbox" as const, label: "Visa 4242", fingerprint: card.id, savedAt: clock.now() };
  await db.insert(paymentMethods).values({ ...card, ...values, organizationId: organizationId ?? "" });
}

/** As cards were kept before organizations had keys of their own. */
async function givenFormerCard(ctx: CoreContext): Promise<string> {
  const id = ctx.ids.next();
  const closed = ctx.keyring.seal(`token of ${id}`, `payment_method:${ctx.organizationId}:${id}`);
  await ctx.transaction((tx) => insertCard(ctx, tx.sql, { id, ...closed }));
  return id;
}

async function openCard(ctx: CoreContext, id: string): Promise<string> {
  return ctx.transaction(async (tx) => {
    const [row] = await tx.sql.select().from(paymentMethods).where(eq(paymentMethods.id, id));
    return openSecret(tx, { table: "payment_methods", id }, { keyId: row!.keyId!, sealed: row!.sealed! });
  });
}

test("a secret opens at its own place only: not in another row or organization, and not with a bit of it changed", async () => {
  await using core = await testCore();
  const [mine, theirs] = [await givenCustomer(core.ctx), await givenCustomer(core.ctx)];
  const place = { table: "payment_methods", id: core.ctx.ids.next() } as const;
  const closed = await mine.ctx.transaction((tx) => sealSecret(tx, place, "card of Budi"));
  await theirs.ctx.transaction((tx) => sealSecret(tx, place, "card of Sari"));
  expect(closed.sealed).not.toContain("card");
  await mine.ctx.transaction(async (tx) => {
    expect(await openSecret(tx, place, closed)).toBe("card of Budi");
    await expect(openSecret(tx, { ...place, table: "instance_secrets" }, closed)).rejects.toThrow(/authenticate/);
    await expect(openSecret(tx, { ...place, id: core.ctx.ids.next() }, closed)).rejects.toThrow(/authenticate/);
    const bytes = Buffer.from(closed.sealed, "base64");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const attempt = openSecret(tx, place, { ...closed, sealed: changed.toString("base64") });
      await expect(attempt).rejects.toThrow(/authenticate/);
    }
    const short = bytes.subarray(0, 20).toString("base64");
    await expect(openSecret(tx, place, { ...closed, sealed: short })).rejects.toThrow(/authentication tag/);
  });
  await theirs.ctx.transaction(async (tx) => {
    await expect(openSecret(tx, place, closed)).rejects.toThrow(/not in the keyring/);
  });
});

test("a key that was copied to another organization opens nothing there", async () => {
  await using core = await testCore();
  const [mine, theirs] = [await givenCustomer(core.ctx), await givenCustomer(core.ctx)];
  await givenCard(mine.ctx);
  const [row] = await core.database.drizzle.select().from(dataKeys);
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle
    .insert(dataKeys)
    .values({ ...row!, id: core.ctx.ids.next(), organizationId: theirs.organizationId });
  await expect(givenCard(theirs.ctx)).rejects.toThrow(/authenticate/);
});

test("transactions that make an organization's first secrets at once end up with one key, and all of them open", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  const cards = await Promise.all(Array.from({ length: 6 }, () => givenCard(ctx)));
  expect(await core.database.drizzle.select().from(dataKeys)).toHaveLength(1);
  for (const id of cards) expect(await openCard(ctx, id)).toBe(`token of ${id}`);
});

test("a rotation that is stopped in its middle goes on there, while others read and write, and afterwards the old key can go", async () => {
  await using core = await testCore();
  const customers = await Promise.all(Array.from({ length: 7 }, async () => (await givenCustomer(core.ctx)).ctx));
  const cards = new Map<string, CoreContext>();
  for (const ctx of customers) cards.set(await givenCard(ctx), ctx);
  for (const ctx of customers.slice(0, 2)) cards.set(await givenFormerCard(ctx), ctx);
  await customers[0]!.transaction(async (tx) => record(tx, { type: "order.placed", orderId: tx.ctx.ids.next() }));
  await checkAudit(core.ctx);
  await givenLedger(customers[1]!);
  await checkLedgers(core.ctx);
  const both = withKeys(core.ctx, recent, old);
  expect(await countKeys(both)).toEqual([{ keyId: "test", dataKeys: 7, secrets: 2, signatures: 2 }]);

  await rotateKeys(both);
  expect(await rewrapKeys(both, { batch: 3 })).toEqual({ rewrapped: 3, left: null });
  expect(await rewrapKeys(both, { batch: 3 })).toMatchObject({ rewrapped: 3 });
  // Here the worker dies. Somebody who has both keys reads and writes everything; somebody new comes, too.
  for (const [id, ctx] of cards) expect(await openCard(withKeys(ctx, recent, old), id)).toBe(`token of ${id}`);
  cards.set(await givenCard(withKeys(customers[6]!, recent, old)), customers[6]!);
  const late = (await givenCustomer(core.ctx)).ctx;
  cards.set(await givenCard(withKeys(late, old)), late);
  // Two workers go on at once.
  const goOn = async (): Promise<void> => {
    while ((await rewrapKeys(both, { batch: 3 })) !== null);
  };
  await Promise.all([goOn(), goOn()]);

  expect(await countKeys(both)).toEqual([{ keyId: "k2", dataKeys: 8, secrets: 0, signatures: 2 }]);
  const { fault } = await verifyLedger(withKeys(core.ctx, recent), customers[1]!.organizationId ?? "");
  expect(fault).toBeNull();
  for (const [id, ctx] of cards) {
    expect(await openCard(withKeys(ctx, recent), id)).toBe(`token of ${id}`);
    await expect(openCard(withKeys(ctx, old), id)).rejects.toThrow("The key k2 is not in the keyring.");
  }
  await requireKeys(withKeys(core.ctx, recent));
  const [rotation] = await core.database.drizzle.select().from(keyRotations);
  expect(rotation).toMatchObject({ target: "k2", rewrapped: 12, finishedAt: expect.any(Date) });
  // The test's own look at the audit has the old key alone: back to it.
  await rotateKeys(withKeys(core.ctx, old, recent));
  while ((await rewrapKeys(withKeys(core.ctx, old, recent))) !== null);
});

test("what somebody else holds is left and counted, the rotation stays open, and the next run ends it", async () => {
  await using core = await testCore();
  const [held, free] = [await givenCustomer(core.ctx), await givenCustomer(core.ctx)];
  for (const { ctx } of [held, free]) await givenCard(ctx);
  const both = withKeys(core.ctx, recent, old);
  await rotateKeys(both);
  const readRotations = () => core.database.drizzle.select().from(keyRotations);
  await core.database.drizzle.transaction(async (holder) => {
    await holder.select().from(dataKeys).where(eq(dataKeys.organizationId, held.organizationId)).for("update");
    expect(await rewrapKeys(both)).toEqual({ rewrapped: 1, left: null });
    expect(await rewrapKeys(both)).toEqual({ rewrapped: 0, left: 1 });
    expect(await readRotations()).toMatchObject([{ rewrapped: 1, finishedAt: null }]);
  });
  expect(await rewrapKeys(both)).toEqual({ rewrapped: 1, left: null });
  expect(await rewrapKeys(both)).toEqual({ rewrapped: 0, left: 0 });
  expect(await readRotations()).toMatchObject([{ rewrapped: 2, finishedAt: expect.any(Date) }]);
  expect(await rewrapKeys(both)).toBeNull();
  expect(await countKeys(both)).toEqual([{ keyId: "k2", dataKeys: 2, secrets: 0, signatures: 0 }]);
});

test("a process whose first key is not the target closes nothing anew, and a second target waits for the first", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  await givenCard(ctx);
  const before = await core.database.drizzle.select().from(dataKeys);
  expect(await rewrapKeys(core.ctx)).toBeNull();
  const both = withKeys(core.ctx, recent, old);
  const asked = await rotateKeys(both);
  expect(await rotateKeys(both)).toEqual(asked);
  await expect(rotateKeys(core.ctx)).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(rewrapKeys(core.ctx)).rejects.toThrow("by the key k2");
  expect(await core.database.drizzle.select().from(dataKeys)).toEqual(before);
  await expect(rotateKeys(ctx)).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("a process without a key that is still needed is told its id before it starts, and learns nothing else", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx);
  await givenCard(ctx);
  await requireKeys(ctx);
  const problem = "SECRETS_KEYRING: lacks the key test, which 1 row(s) still need.";
  await expect(requireKeys(withKeys(ctx, recent))).rejects.toMatchObject({ problems: [problem] });
});

test("an app's credentials are sealed with its organization's key and can be shown before, between and after", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx, { plan: "free" });
  const { instanceId } = subscription;
  await provisionOnce(core.ctx, instanceId);
  const shown = await revealCredentials(ctx, instanceId);
  const [row] = await core.database.drizzle.select().from(instanceSecrets);
  const [own] = await core.database.drizzle.select().from(dataKeys);
  expect(row!.keyId).toBe(own!.id);
  const both = withKeys(core.ctx, recent, old);
  await rotateKeys(both);
  while ((await rewrapKeys(both)) !== null);
  expect(await revealCredentials(withKeys(ctx, recent), instanceId)).toEqual(shown);
});

test("the secret of a second factor, which belongs to no organization, changes its key with the rest", async () => {
  await using core = await testCore();
  const { ctx, userId } = await givenCustomer(core.ctx);
  const { secret } = await beginTotp(ctx, { userId, sessionId: "" });
  const both = withKeys(core.ctx, recent, old);
  await rotateKeys(both);
  while ((await rewrapKeys(both)) !== null);
  const [row] = await core.database.drizzle.select().from(secondFactors);
  expect(withKeys(ctx, recent).keyring.open(row!, secondFactorContext(userId))).toBe(secret);
  await requireKeys(withKeys(core.ctx, recent));
});

test("every table with something sealed or signed is known to the rotation, and so to who asks which keys are needed", async () => {
  await using core = await testCore();
  const tables = await core.database.drizzle.execute<{ name: string }>(sql`
    select distinct table_name as name from information_schema.columns
    where table_schema = 'public' and column_name in ('key_id', 'sealed', 'signature') order by 1`);
  const known = [
    "audit_checkpoints",
    "data_keys",
    "ledger_checkpoints",
    "second_factors",
    ...Object.keys(sealedThings),
  ];
  expect(tables.map(({ name }) => name)).toEqual(known.toSorted());
  const [source] = await core.database.drizzle.execute<{ definition: string }>(
    sql`select pg_get_functiondef('keys_in_use'::regproc) as definition`,
  );
  for (const name of known) expect(source!.definition).toMatch(new RegExp(`from public.${name}\\b`));
});
