import { createInstanceStore, type Observation, placeOrder } from "@sewa/core";
import type { Floor } from "./floor.ts";
import { type House, newKey, openCustomers, readFreePlan } from "./house.ts";
import { type Line, underLoad } from "./sample.ts";

const load = { clients: 4, forMs: 1_500 } as const;

/** What workers write after each look: a change that a customer sees, and the much more frequent look at nothing new. */
export async function benchObserve(house: House, floor: Floor): Promise<readonly Line[]> {
  const customers = await openCustomers(house.ctx, load.clients);
  const store = createInstanceStore(house.ctx, "bench");
  await using leases = new AsyncDisposableStack();
  const runs: { readonly record: (observation: Observation) => Promise<unknown> }[] = [];
  for (const { ctx } of customers) {
    const free = await readFreePlan(ctx);
    const order = await placeOrder(ctx, { ...free, parameters: {}, name: "Status page", idempotencyKey: newKey() });
    const lease = leases.use(await store.lease(order.subscription.instanceId));
    const loaded = lease === null ? null : await store.load(lease);
    if (lease === null || loaded === null) throw new Error("A new instance can be loaded by whoever asks first.");
    const { generation } = loaded.spec;
    runs.push({ record: (observation) => store.recordObserved(lease, generation, observation) });
  }
  const record = (client: number, restarts: number): Promise<unknown> | undefined =>
    runs[client]?.record(runningPod(restarts));

  const base = await underLoad(load, (client) => floor.update(client));
  const changed = await underLoad(load, async (client, call) => record(client, call));
  for (let client = 0; client < load.clients; client += 1) await record(client, 0);
  const same = await underLoad(load, async (client) => record(client, 0));
  const line = { group: "Observations recorded", floorName: "1 update in one transaction", floor: base } as const;
  return [
    { ...line, name: `${load.clients} clients, each a change`, sample: changed, compareBy: "rate" },
    { ...line, name: `${load.clients} clients, nothing new`, sample: same, compareBy: "rate" },
  ];
}

/** A number of restarts changes what a customer sees and settles nothing. */
function runningPod(restarts: number): Observation {
  return {
    existence: "present",
    phase: "running",
    reason: null,
    message: null,
    pods: [
      {
        name: "app-1",
        workload: "app",
        phase: "Running",
        ready: true,
        restarts,
        nodeName: "endless",
        reason: null,
        message: null,
        startedAt: null,
      },
    ],
    conditions: [{ type: "PodsReady", status: "True", reason: null, message: null }],
    nodeName: "endless",
    ownerClaimed: true,
    steps: {},
  };
}
