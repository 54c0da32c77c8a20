import { getInstance, organizationChannel, placeOrder, record } from "@sewa/core";
import type { Database } from "@sewa/db";
import { type House, newKey, openCustomers, readFreePlan } from "./house.ts";
import { type Line, oneByOne } from "./sample.ts";

const calls = 300;
/** A notification may be lost; the run says so instead of waiting for ever. */
const patienceMs = 5_000;
const floorChannel = "sewa_bench";

/**
 * From the call of a mutation to the moment at which a listener has read again what it shows: what a WebSocket client waits
 * for, less the socket. The floor is a NOTIFY of nothing, heard on the same kind of connection, and a read of nothing.
 */
export async function benchLive(house: House): Promise<readonly Line[]> {
  const { database } = house;
  const [{ ctx, organizationId }] = await openCustomers(house.ctx, 1);
  const free = await readFreePlan(ctx);
  const order = await placeOrder(ctx, { ...free, parameters: {}, name: "Status page", idempotencyKey: newKey() });
  const { instanceId } = order.subscription;

  const sample = await throughChannel(database, organizationChannel, organizationId, {
    change: () => ctx.transaction(async (tx) => record(tx, { type: "instance.stopped", instanceId })),
    readAgain: () => getInstance(ctx, instanceId),
  });
  const floor = await throughChannel(database, floorChannel, "", {
    // Awaited here: a query of Drizzle's does not begin before somebody waits for it.
    change: async () => {
      await database.drizzle.execute(`select pg_notify('${floorChannel}', '')`);
    },
    readAgain: () => database.ping(),
  });
  return [
    {
      group: "Live status",
      name: "mutation, notification, read again",
      sample,
      floorName: "notify, hear, select 1",
      floor,
      compareBy: "time",
    },
  ];
}

async function throughChannel(
  database: Database,
  channel: string,
  payload: string,
  { change, readAgain }: { readonly change: () => Promise<unknown>; readonly readAgain: () => Promise<unknown> },
): ReturnType<typeof oneByOne> {
  let wake = (): void => undefined;
  const listening = await database.listen(channel, (heard) => {
    if (heard === payload) wake();
  });
  try {
    return await oneByOne(calls, async () => {
      const heard = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`Nothing was heard on ${channel}.`)), patienceMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const start = performance.now();
      const changed = change();
      await heard;
      await readAgain();
      const took = performance.now() - start;
      // The answer to the mutation may come later than its notification; the next call begins after both.
      await changed;
      return took;
    });
  } finally {
    await listening.close();
  }
}
