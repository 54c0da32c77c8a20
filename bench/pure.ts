import { readFileSync } from "node:fs";
import { type Blueprint, parseBlueprint, priceBlueprint, validateParameters } from "@sewa/blueprint";
import { createInstanceStore, type InstanceSpec, placeOrder } from "@sewa/core";
import { renderManifests } from "@sewa/provisioner/render";
import { type House, newKey, openCustomers, readFreePlan } from "./house.ts";
import { inBatches, type Line } from "./sample.ts";

const forMs = 1_000;

const clusterSettings = {
  ingressClassName: "traefik",
  ingressNamespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
  storageClassName: null,
} as const;

/** Prices found by expressions, the last of four: what is evaluated for every quote of such an app. */
const pricedBlueprint = `
name: Priced
parameters:
  - { name: nodes, type: integer, required: true }
prices:
  - { target: "\${parameters.nodes}", test: "\${parameters.nodes <= 1}", amount: 20 }
  - { target: "\${parameters.nodes}", test: "\${parameters.nodes <= 2}", amount: 40 }
  - { target: "\${parameters.nodes}", test: "\${parameters.nodes <= 4}", amount: 80 }
  - { target: "\${parameters.nodes}", test: "\${parameters.nodes <= 8}", amount: 160 }
`;

/** Work without a database. The floor of rendering is a copy of the same objects, that of a price a look into a map. */
export async function benchPure(house: House): Promise<readonly Line[]> {
  const spec = await loadSpec(house);
  const manifests = renderManifests(spec, clusterSettings);
  const text = JSON.stringify(manifests);
  const render = inBatches(forMs, 20, () => renderManifests(spec, clusterSettings));
  const copy = inBatches(forMs, 20, () => JSON.parse(text) as unknown);

  const blueprint = parseBlueprint(pricedBlueprint);
  const values = choose(blueprint, { nodes: 8 });
  const amounts = new Map([[8, 160]]);
  const price = inBatches(forMs, 200, () => priceBlueprint(blueprint, values));
  const lookUp = inBatches(forMs / 4, 20_000, () => amounts.get(8));
  const source = readFileSync(new URL("../packages/blueprint/catalog/uptime-kuma.yaml", import.meta.url), "utf8");
  const parse = inBatches(forMs, 1, () => parseBlueprint(source));
  const readText = inBatches(forMs / 4, 200, () => source.split("\n").length);

  const group = "Without a database";
  const line = { group, compareBy: "time" } as const;
  return [
    {
      ...line,
      name: `render an instance (${manifests.length} objects)`,
      sample: render,
      floorName: "JSON.parse of the same",
      floor: copy,
    },
    { ...line, name: "price by expression (4 tested)", sample: price, floorName: "Map.get", floor: lookUp },
    {
      ...line,
      name: "parse a blueprint (kept per version)",
      sample: parse,
      floorName: "split into lines",
      floor: readText,
    },
  ];
}

async function loadSpec({ ctx }: House): Promise<InstanceSpec> {
  const [customer] = await openCustomers(ctx, 1);
  const free = await readFreePlan(customer.ctx);
  const order = await placeOrder(customer.ctx, {
    ...free,
    parameters: {},
    name: "Status page",
    idempotencyKey: newKey(),
  });
  const store = createInstanceStore(ctx, "bench");
  await using lease = await store.lease(order.subscription.instanceId);
  const loaded = lease === null ? null : await store.load(lease);
  if (loaded === null) throw new Error("A new instance can be loaded by whoever asks first.");
  return loaded.spec;
}

function choose(blueprint: Blueprint, chosen: { readonly nodes: number }): Parameters<typeof priceBlueprint>[1] {
  const checked = validateParameters(blueprint, chosen);
  if (!checked.ok) throw new Error("The parameters fit the blueprint above.");
  return checked.values;
}
