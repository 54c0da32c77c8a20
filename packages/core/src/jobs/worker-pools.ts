import type { Transaction } from "@sewa/db";
import { workerPools } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/** A pool that was silent for so long is taken for dead. */
export const poolSilenceSeconds = 60;
/** A lock whose holder never wrote a heartbeat is released after this. */
const unknownHolderSeconds = 120;

/** Stands in the row of a job whose worker died on its last attempt. Dying over it a second time is its end. */
const diedError = "The worker that ran it died on its last attempt.";

/** More than would be asked one after the other. */
const asksAtMost = 5;

const isLiving = and(
  eq(workerPools.state, "running"),
  sql`${workerPools.beatAt} > now() - make_interval(secs => ${poolSilenceSeconds})`,
);

/** Database time throughout, so that the clocks of machines do not matter. */
export async function beatPool(
  ctx: CoreContext,
  pool: {
    readonly poolId: string;
    readonly host: string;
    readonly version: string;
    readonly internalUrl: string | null;
  },
): Promise<void> {
  await ctx.db.drizzle
    .insert(workerPools)
    .values({ ...pool, state: "running", beatAt: sql`now()` })
    .onConflictDoUpdate({ target: workerPools.poolId, set: { beatAt: sql`now()`, internalUrl: pool.internalUrl } });
}

/** The good-bye of a pool that takes no more jobs. What it could not end is free for others from then on. */
export async function endPool(ctx: CoreContext, poolId: string): Promise<void> {
  await ctx.db.drizzle.transaction(async (tx) => {
    await tx
      .update(workerPools)
      .set({ state: "ended", beatAt: sql`now()` })
      .where(eq(workerPools.poolId, poolId));
    await releaseJobs(tx, [poolId]);
  });
}

export async function listPools(ctx: CoreContext): Promise<readonly (typeof workerPools.$inferSelect)[]> {
  return ctx.db.drizzle.select().from(workerPools);
}

/** How many workers have given a sign of life lately. */
export async function countLivingPools(ctx: CoreContext): Promise<number> {
  return ctx.db.drizzle.$count(workerPools, isLiving);
}

/** Pools that can be asked something now, in random order, so that questions spread over them. */
export async function listLivingPools(
  ctx: CoreContext,
): Promise<readonly { readonly poolId: string; readonly internalUrl: string | null }[]> {
  return ctx.db.drizzle
    .select({ poolId: workerPools.poolId, internalUrl: workerPools.internalUrl })
    .from(workerPools)
    .where(isLiving)
    .orderBy(sql`random()`)
    .limit(asksAtMost);
}

/**
 * Takes the jobs away from workers that died: killed processes leave them locked for hours. One reaper at a time; the
 * others find the lock taken and do nothing. A job that died on its last attempt gets one more, because the crash left
 * no error behind that would say why; if that kills its worker too it has failed, and the row says how. Returns the pools whose jobs were released.
 */
export async function reapDeadPools(ctx: CoreContext): Promise<readonly string[]> {
  return ctx.db.drizzle.transaction(async (tx) => {
    const [lock] = await tx.execute<{ got: boolean }>(
      sql`select pg_try_advisory_xact_lock(hashtext('sewa:reap')) as got`,
    );
    if (lock?.got !== true) return [];
    await tx.execute(sql`
      delete from worker_pools p where p.beat_at < now() - interval '1 day'
        and not exists (select 1 from graphile_worker._private_jobs j where j.locked_by = p.pool_id)`);
    const dead = await tx.execute<{ pool_id: string }>(sql`
      select distinct j.locked_by as pool_id
      from graphile_worker._private_jobs j left join worker_pools p on p.pool_id = j.locked_by
      where j.locked_by is not null
        and (p.state = 'ended' or p.beat_at < now() - make_interval(secs => ${poolSilenceSeconds})
          or (p.pool_id is null and j.locked_at < now() - make_interval(secs => ${unknownHolderSeconds})))`);
    const poolIds = dead.map((row) => row.pool_id);
    if (poolIds.length > 0) await releaseJobs(tx, poolIds);
    await forgetSuperseded(tx);
    return poolIds;
  });
}

async function releaseJobs(tx: Transaction, poolIds: readonly string[]): Promise<void> {
  const list = sql`array[${sql.join(
    poolIds.map((id) => sql`${id}`),
    sql`, `,
  )}]::text[]`;
  const last = await tx.execute<{ id: string }>(sql`
    select id::text from graphile_worker._private_jobs
    where locked_by = any(${list}) and attempts >= max_attempts and key is not null
      and last_error is distinct from ${diedError}`);
  await tx.execute(sql`select graphile_worker.force_unlock_workers(${list})`);
  for (const { id } of last) {
    await tx.execute(sql`
      update graphile_worker._private_jobs set attempts = max_attempts - 1, run_at = now(), last_error = ${diedError}
      where id = ${id}::bigint and locked_at is null`);
  }
}

/**
 * A prompt that is given again takes the key from its job that runs or has failed, and the old row may never run again. If
 * that run fails or its worker dies, the row is left: used up and without a key. The newer prompt does its work, and will
 * fail of the same if that has not gone away.
 */
async function forgetSuperseded(tx: Transaction): Promise<void> {
  await tx.execute(sql`
    select graphile_worker.complete_jobs(array(
      select id from graphile_worker._private_jobs
      where key is null and locked_at is null and attempts >= max_attempts))`);
}
