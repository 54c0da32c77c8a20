import { setTimeout } from "node:timers/promises";
import { instanceLeases, instances } from "@sewa/db/schema";
import { and, eq, lt, sql } from "drizzle-orm";
import { monotonicMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";

const leaseSeconds = 60;
const renewMs = 20_000;
const giveBackTries = 4;
const giveBackPauseMs = 100;

/** The right to work on one instance, for one process at a time. Real time of the database throughout. */
export interface InstanceLease extends AsyncDisposable {
  readonly instanceId: string;
  readonly organizationId: string;
  readonly holder: string;
  /** Raised with every new holder; each write names it, so a holder that was too slow writes nothing. */
  readonly epoch: number;
  /** Aborted when the lease could not be renewed in time. */
  readonly signal: AbortSignal;
}

/** Null when somebody else holds it, or when there is no such instance. */
export async function acquireLease(
  ctx: CoreContext,
  instanceId: string,
  holder: string,
): Promise<InstanceLease | null> {
  const asked = monotonicMs();
  const until = sql`now() + make_interval(secs => ${leaseSeconds})`;
  const [known] = await ctx.db.drizzle
    .select({ organizationId: instances.organizationId })
    .from(instances)
    .where(eq(instances.id, instanceId));
  if (known === undefined) return null;
  const { organizationId } = known;
  const [row] = await ctx.db.drizzle
    .insert(instanceLeases)
    .values({ instanceId, organizationId, holder, epoch: 1, leasedUntil: until })
    .onConflictDoUpdate({
      target: instanceLeases.instanceId,
      set: { holder, epoch: sql`${instanceLeases.epoch} + 1`, leasedUntil: until },
      setWhere: lt(instanceLeases.leasedUntil, sql`now()`),
    })
    .returning({ epoch: instanceLeases.epoch });
  if (row === undefined) return null;
  return keepLease(ctx, { instanceId, organizationId, holder, epoch: row.epoch }, asked);
}

function keepLease(
  ctx: CoreContext,
  lease: Pick<InstanceLease, "instanceId" | "organizationId" | "holder" | "epoch">,
  askedAt: number,
): InstanceLease {
  const lost = new AbortController();
  const mine = and(
    eq(instanceLeases.instanceId, lease.instanceId),
    eq(instanceLeases.epoch, lease.epoch),
    eq(instanceLeases.holder, lease.holder),
  );
  // Not the database's clock, and on the safe side: counted from before the request that renewed it.
  let validUntil = askedAt + leaseSeconds * 1_000;
  const timer = setInterval(() => {
    const asked = monotonicMs();
    if (asked > validUntil) lost.abort(new Error("The lease ran out."));
    ctx.db.drizzle
      .update(instanceLeases)
      .set({ leasedUntil: sql`now() + make_interval(secs => ${leaseSeconds})` })
      .where(and(mine, sql`${instanceLeases.leasedUntil} > now()`))
      .returning({ epoch: instanceLeases.epoch })
      .then(
        (rows) => {
          if (rows.length === 0) lost.abort(new Error("The lease was taken over."));
          else validUntil = asked + leaseSeconds * 1_000;
        },
        // The database may be back before the lease is over; the check above ends it otherwise.
        () => undefined,
      );
  }, renewMs);
  timer.unref();
  return {
    ...lease,
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await insist(() =>
        ctx.db.drizzle
          .update(instanceLeases)
          .set({ leasedUntil: sql`now() - interval '1 second'` })
          .where(mine),
      );
    },
  };
}

/** A lease that is not given back stops its instance for a minute; a connection that broke is new at the next try. */
async function insist(giveBack: () => PromiseLike<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await giveBack();
      return;
    } catch (error) {
      if (tries === giveBackTries) throw error;
      await setTimeout(giveBackPauseMs * tries);
    }
  }
}

/** Locks the lease row for the length of the transaction. False: somebody took over, and nothing may be written. */
export async function holdsLease(
  tx: Tx,
  lease: Pick<InstanceLease, "instanceId" | "holder" | "epoch">,
): Promise<boolean> {
  const rows = await tx.sql
    .select({ epoch: instanceLeases.epoch })
    .from(instanceLeases)
    .where(
      and(
        eq(instanceLeases.instanceId, lease.instanceId),
        eq(instanceLeases.epoch, lease.epoch),
        eq(instanceLeases.holder, lease.holder),
        sql`${instanceLeases.leasedUntil} > now()`,
      ),
    )
    .for("update");
  return rows.length === 1;
}
