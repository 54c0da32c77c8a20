import { and, asc, desc, gte, inArray, lt, lte } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { periodAt } from "../periods.ts";
import { type ChainOwner, entriesOf, type Head, type Reader } from "./chain.ts";
import { findCheckpoint, signCheckpoint } from "./checkpoint.ts";

const removedAtOnce = 2_000;

/**
 * Removes what is older than entries are kept, from the beginning of the chain and never out of its middle. First the
 * checkpoint says where the chain starts from then on; the rows follow in batches, and a batch that was not reached is
 * removed by the next run. Only of a chain that was just verified.
 */
export async function removeOldEntries(ctx: CoreContext, owner: ChainOwner, signal?: AbortSignal): Promise<number> {
  const months = ctx.config.auditRetentionMonths;
  if (months === null) return 0;
  const before = periodAt(ctx.clock.now(), "P1M", "UTC", -months).start;
  await ctx.transaction(async (tx) => {
    const start = await findCheckpoint(tx.sql, owner, "start");
    const end = await findEnd(tx.sql, owner, before, start?.sequence ?? 0);
    if (end !== null) await signCheckpoint(tx, owner, "start", end);
  });
  let removed = 0;
  for (;;) {
    signal?.throwIfAborted();
    const batch = await ctx.transaction((tx) => removeBatch(tx, owner));
    removed += batch;
    if (batch < removedAtOnce) return removed;
  }
}

/** The last of the entries from the beginning that are all older; null when there is none after `after`. */
async function findEnd(reader: Reader, owner: ChainOwner, before: Date, after: number): Promise<Head | null> {
  const { source, own } = entriesOf(owner);
  const [kept] = await reader
    .select({ sequence: source.sequence })
    .from(source)
    .where(and(own, gte(source.recordedAt, before)))
    .orderBy(asc(source.sequence))
    .limit(1);
  const last = kept === undefined ? Number.MAX_SAFE_INTEGER : kept.sequence - 1;
  const [end] = await reader
    .select({ sequence: source.sequence, chain: source.chain, recordedAt: source.recordedAt })
    .from(source)
    .where(and(own, lte(source.sequence, last), lt(source.recordedAt, before)))
    .orderBy(desc(source.sequence))
    .limit(1);
  return end === undefined || end.sequence <= after ? null : { sequence: end.sequence, chain: end.chain };
}

async function removeBatch(tx: Tx, owner: ChainOwner): Promise<number> {
  const start = await findCheckpoint(tx.sql, owner, "start");
  if (start === null) return 0;
  const { source, own } = entriesOf(owner);
  const old = await tx.sql
    .select({ id: source.id })
    .from(source)
    .where(and(own, lte(source.sequence, start.sequence)))
    .orderBy(asc(source.sequence))
    .limit(removedAtOnce);
  if (old.length === 0) return 0;
  await tx.sql.delete(source).where(
    inArray(
      source.id,
      old.map(({ id }) => id),
    ),
  );
  return old.length;
}
