import { record } from "@sewa/core";
import type { Floor } from "./floor.ts";
import { type Customer, type House, openCustomers } from "./house.ts";
import { type Line, underLoad } from "./sample.ts";

const load = { clients: 16, forMs: 1_500 } as const;
const manyOrganizations = 100;

/** Transactions that only record one event: the head's lock, the numbered row and the NOTIFY. */
export async function benchEvents(house: House, floor: Floor): Promise<readonly Line[]> {
  const many = await openCustomers(house.ctx, manyOrganizations);
  const [one] = await openCustomers(house.ctx, 1);
  const write = ({ ctx }: Customer): Promise<void> =>
    ctx.transaction(async (tx) => record(tx, { type: "instance.stopped" }));
  await underLoad({ ...load, forMs: 200 }, () => write(one));

  const base = await underLoad(load, () => floor.inserts(1));
  const within = await underLoad(load, () => write(one));
  const over = await underLoad(load, (client, call) =>
    write(many[(client + call * load.clients) % many.length] ?? one),
  );
  const line = { group: "Events committed", floorName: "1 insert in one transaction", floor: base } as const;
  return [
    { ...line, name: `${load.clients} clients, one organization`, sample: within, compareBy: "rate" },
    { ...line, name: `${load.clients} clients, ${manyOrganizations} organizations`, sample: over, compareBy: "rate" },
  ];
}
