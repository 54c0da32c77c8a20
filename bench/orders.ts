import { type CoreContext, placeOrder } from "@sewa/core";
import { countRows, type Floor } from "./floor.ts";
import { type Customer, type House, newKey, openCustomers, readFreePlan } from "./house.ts";
import { type Line, underLoad } from "./sample.ts";

const clientCounts = [1, 4, 16] as const;
const forMs = 1_500;
const manyOrganizations = 200;
const warmUpOrders = 20;

/**
 * Orders of a free plan, from the idempotency record to the job, each one transaction. Over many organizations they share
 * the pool of machines and the invoice counter; within one they share its event head too.
 */
export async function benchOrders(house: House, floor: Floor): Promise<readonly Line[]> {
  const many = await openCustomers(house.ctx, manyOrganizations);
  const [one] = await openCustomers(house.ctx, 1);
  const free = await readFreePlan(one.ctx);
  const place = (ctx: CoreContext): Promise<unknown> =>
    placeOrder(ctx, { ...free, parameters: {}, name: "Status page", idempotencyKey: newKey() });
  for (let order = 0; order < warmUpOrders; order += 1) await place(many[0].ctx);

  const before = await countRows(house);
  await place(many[0].ctx);
  const rows = (await countRows(house)) - before;

  const lines: Line[] = [];
  for (const clients of clientCounts) {
    const load = { clients, forMs };
    const base = await underLoad(load, () => floor.inserts(rows));
    const measure = async (name: string, customerOf: (client: number, call: number) => Customer): Promise<void> => {
      const sample = await underLoad(load, (client, call) => place(customerOf(client, call).ctx));
      const floorName = `${rows} inserts in one transaction`;
      lines.push({ group: "Orders placed", name, sample, floorName, floor: base, compareBy: "rate" });
    };
    const at = `${clients} ${clients === 1 ? "client" : "clients"}`;
    await measure(`${at}, many organizations`, (client, call) => many[(client + call * clients) % many.length] ?? one);
    await measure(`${at}, one organization`, () => one);
  }
  return lines;
}
