import { sweepChanges, sweepPayments, sweepSubscriptions } from "@sewa/core";
import { buffersOf } from "./buffers.ts";
import { fillWithDue } from "./fill.ts";
import { openHouse } from "./house.ts";

/** What a sweep reads and writes to find and enqueue what is due, in pages of 8 KiB. */
export interface Swept {
  readonly sweep: string;
  readonly enqueued: number;
  readonly buffers: number;
}

const sweeps = { subscriptions: sweepSubscriptions, payments: sweepPayments, changes: sweepChanges };

/** In a house with so many subscriptions, of which `due` are due: for time, for their money and for a new shape. */
export async function sweepAmong(subscriptions: number, due: number): Promise<readonly Swept[]> {
  await using house = await openHouse();
  await fillWithDue(house, { subscriptions, due });
  const swept: Swept[] = [];
  for (const [sweep, run] of Object.entries(sweeps)) {
    const before = await countJobs();
    const buffers = await buffersOf(house.ctx, run);
    swept.push({ sweep, buffers, enqueued: (await countJobs()) - before });
  }
  return swept;

  async function countJobs(): Promise<number> {
    const [row] = await house.database.drizzle.execute<{ count: number }>(
      "select count(*)::int as count from graphile_worker._private_jobs",
    );
    return row?.count ?? 0;
  }
}
