import { rateUsage, sweepChanges, sweepPayments, sweepSubscriptions } from "@sewa/core";
import { buffersOf } from "./buffers.ts";
import { fillWithDue } from "./fill.ts";
import { openHouse } from "./house.ts";

/** What a sweep reads and writes to find what is due, and to enqueue it where that is what it does; in pages of 8 KiB. */
export interface Swept {
  readonly sweep: string;
  readonly found: number;
  readonly buffers: number;
}

/** Adds jobs. */
const sweeps = { subscriptions: sweepSubscriptions, payments: sweepPayments, changes: sweepChanges };

/**
 * In a house with so many subscriptions, of which `due` are due: for time, for their money, for a new shape, and with an hour that was
 * measured and is not recorded. `asked` of the others have an open renewal that nobody can be charged for: they pay by bank.
 */
export async function sweepAmong(subscriptions: number, due: number, asked = 0): Promise<readonly Swept[]> {
  await using house = await openHouse();
  await fillWithDue(house, { subscriptions, due, asked });
  const swept: Swept[] = [];
  for (const [sweep, run] of Object.entries(sweeps)) {
    const before = await countJobs();
    const buffers = await buffersOf(house.ctx, run);
    swept.push({ sweep, buffers, found: (await countJobs()) - before });
  }
  swept.push({ sweep: "usage", buffers: await buffersOf(house.ctx, rateUsage), found: due });
  return swept;

  async function countJobs(): Promise<number> {
    const [row] = await house.database.drizzle.execute<{ count: number }>(
      "select count(*)::int as count from graphile_worker._private_jobs",
    );
    return row?.count ?? 0;
  }
}
