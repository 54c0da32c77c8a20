import { dataKeys, keyRotations, secondFactors } from "@sewa/db/schema";
import { and, asc, eq, isNotNull, isNull, ne, sql } from "drizzle-orm";
import { resignCheckpoints } from "../audit/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { resignLedgers } from "../ledger/index.ts";
import { findOwnKey, rewrap } from "./data-key.ts";
import { readKeys, usesOf } from "./count-keys.ts";
import { openSecret, sealSecret } from "./seal.ts";
import { type SealedPlace, sealedThings, secondFactorContext } from "./sealed-things.ts";

const usualBatch = 100;

/**
 * One batch of the rotation that was asked for; null when none is open. Each batch is committed with what it counts, and
 * whatever is under the target already is not touched: stopped anywhere, it goes on there. What is left is counted once
 * nothing more can be had. Throws on a process whose newest
 * key is not the target, which would close everything with the key that is to go.
 */
export async function rewrapKeys(
  ctx: CoreContext,
  { batch = usualBatch }: { readonly batch?: number } = {},
): Promise<{ readonly rewrapped: number; readonly left: number | null } | null> {
  const [rotation] = await ctx.db.drizzle.select().from(keyRotations).where(isNull(keyRotations.finishedAt));
  if (rotation === undefined) return null;
  const { target } = rotation;
  if (ctx.keyring.ids[0] !== target)
    throw new Error(`Everything is to be closed by the key ${target}, which is not the first of this keyring.`);
  let rewrapped = await rewrapDataKeys(ctx, rotation.id, batch);
  if (rewrapped === 0) rewrapped = await rewrapSecondFactors(ctx, rotation.id, batch);
  if (rewrapped === 0) rewrapped = await resealFormer(ctx, rotation.id, batch);
  for (const resign of [resignCheckpoints, resignLedgers])
    if (rewrapped === 0)
      rewrapped = await ctx.transaction(async (tx) => count(tx, rotation.id, await resign(tx, batch)));
  if (rewrapped > 0) return { rewrapped, left: null };
  const left = (await readKeys(ctx)).filter(({ keyId }) => keyId !== target).reduce((sum, use) => sum + usesOf(use), 0);
  if (left === 0) await finish(ctx, rotation.id);
  return { rewrapped, left };
}

/** What another worker is at is left to it. */
async function rewrapDataKeys(ctx: CoreContext, rotationId: string, batch: number): Promise<number> {
  const { id, organizationId, keyId, sealed } = dataKeys;
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select({ id, organizationId, keyId, sealed })
      .from(dataKeys)
      .where(ne(keyId, ctx.keyring.ids[0] ?? ""))
      .orderBy(asc(id))
      .limit(batch)
      .for("update", { skipLocked: true });
    for (const row of rows) await tx.sql.update(dataKeys).set(rewrap(ctx.keyring, row)).where(eq(id, row.id));
    return count(tx, rotationId, rows.length);
  });
}

async function rewrapSecondFactors(ctx: CoreContext, rotationId: string, batch: number): Promise<number> {
  const { userId, keyId, sealed } = secondFactors;
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select({ userId, keyId, sealed })
      .from(secondFactors)
      .where(ne(keyId, ctx.keyring.ids[0] ?? ""))
      .orderBy(asc(userId))
      .limit(batch)
      .for("update", { skipLocked: true });
    for (const row of rows) {
      const context = secondFactorContext(row.userId);
      const closed = ctx.keyring.seal(ctx.keyring.open(row, context), context);
      await tx.sql.update(secondFactors).set(closed).where(eq(userId, row.userId));
    }
    return count(tx, rotationId, rows.length);
  });
}

/** Secrets from before organizations had keys: each in a transaction of its organization, with the row locked. */
async function resealFormer(ctx: CoreContext, rotationId: string, batch: number): Promise<number> {
  let resealed = 0;
  for (const name of Object.keys(sealedThings) as readonly (keyof typeof sealedThings)[]) {
    for (const { organizationId, id } of await listFormer(ctx, name, batch - resealed)) {
      const place = { table: name, id };
      resealed += await ctx
        .forOrganization(organizationId)
        .transaction(async (tx) => count(tx, rotationId, (await reseal(tx, place)) ? 1 : 0));
    }
  }
  return resealed;
}

async function listFormer(
  ctx: CoreContext,
  name: keyof typeof sealedThings,
  limit: number,
): Promise<readonly { readonly organizationId: string; readonly id: string }[]> {
  const { table, id } = sealedThings[name];
  return ctx.db.drizzle
    .select({ organizationId: table.organizationId, id: sql<string>`${id}` })
    .from(table)
    .where(
      and(
        isNotNull(sql`${table.keyId}`),
        sql`not exists (select 1 from ${dataKeys} where ${dataKeys.id}::text = ${table.keyId})`,
      ),
    )
    .orderBy(asc(id))
    .limit(limit);
}

/** False: another worker was faster, or the secret is gone. */
async function reseal(tx: Tx, place: SealedPlace): Promise<boolean> {
  const { table, id } = sealedThings[place.table];
  const isIt = and(eq(table.organizationId, organizationOf(tx)), eq(id, place.id));
  const [row] = await tx.sql.select({ keyId: table.keyId, sealed: table.sealed }).from(table).where(isIt).for("update");
  const { keyId = null, sealed = null } = row ?? {};
  const own = await findOwnKey(tx);
  if (keyId === null || sealed === null || keyId === own?.id) return false;
  const closed = await sealSecret(tx, place, await openSecret(tx, place, { keyId, sealed }));
  await tx.sql.update(table).set(closed).where(isIt);
  return true;
}

async function count(tx: Tx, rotationId: string, rows: number): Promise<number> {
  if (rows === 0) return 0;
  const [counted] = await tx.sql
    .update(keyRotations)
    .set({ rewrapped: sql`${keyRotations.rewrapped} + ${rows}` })
    .where(eq(keyRotations.id, rotationId))
    .returning({ id: keyRotations.id });
  assert(counted !== undefined, "a rotation that runs has its row");
  return rows;
}

async function finish(ctx: CoreContext, rotationId: string): Promise<void> {
  await ctx.db.drizzle
    .update(keyRotations)
    .set({ finishedAt: ctx.clock.now() })
    .where(and(eq(keyRotations.id, rotationId), isNull(keyRotations.finishedAt)));
}
