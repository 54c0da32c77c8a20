import { readdirSync, readFileSync } from "node:fs";
import type { RouterInputs, RouterOutputs } from "@sewa/api";
import { applyCatalog } from "@sewa/core";
import { type Client, withCore } from "@sewa/dev";
import type { Devcluster } from "@sewa/devcluster";
import { toUuid } from "./faults/life.ts";
import { type House, isUp, order, reached, until } from "./house.ts";

export type Change = RouterOutputs["instances"]["getPlan"];
export type ChangeRequest = RouterInputs["instances"]["plan"]["change"];

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);
const sizes = {
  free: { cpu: "100m", memory: "256Mi" },
  roomy: { cpu: "200m", memory: "512Mi" },
  wide: { cpu: "400m", memory: "384Mi" },
} as const;
export type Size = keyof typeof sizes;

/** What one step of storage costs for a period, and how much it is. */
export const storageStep = { amountMinor: 20_000n, bytes: 32 * 2 ** 30 } as const;

/** As `offerSizes`, and each plan can have up to three steps of more storage. */
export async function offerStorage(house: House): Promise<void> {
  const addon = `{ slug: extra-storage, name: Extra storage, adds: { storage: 32Gi }, max: 3, prices: [{ currency: IDR, amount: "${storageStep.amountMinor}" }] }`;
  await offer(house, "one", `\n        addons: [${addon}]`);
}

/** Uptime Kuma on plans of several sizes, all for nothing. `motd` is an environment variable of its version. */
export async function offerSizes(house: House, motd = "one"): Promise<void> {
  await offer(house, motd, "");
}

async function offer(house: House, motd: string, addons: string): Promise<void> {
  const read = (name: string): string => readFileSync(new URL(name, catalogFolder), "utf8");
  const names = readdirSync(catalogFolder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  const blueprints = Object.fromEntries(names.map((name) => [name, read(name)]));
  const kuma = blueprints["uptime-kuma.yaml"]!.replace("      TZ: ", `      MOTD: ${motd}\n      TZ: `);
  const plans = Object.entries(sizes).map(
    ([slug, { cpu, memory }]) => `
      - slug: ${slug}
        name: ${slug}
        limits: { cpuRequest: ${cpu}, cpuLimit: "1", memoryRequest: ${memory}, memoryLimit: 1Gi, storage: 1Gi }
        interval: P30D
        gracePeriodDays: 30
        pastDueDays: 0
        nodePool: default
        prices: [{ currency: IDR, amount: "0" }]${addons}`,
  );
  const catalog = `currency: IDR
offerings:
  - slug: uptime-kuma
    name: Uptime Kuma
    blueprint: uptime-kuma.yaml
    plans:${plans.join("")}
`;
  const files = { catalog, blueprints: { ...blueprints, "uptime-kuma.yaml": kuma } };
  await withCore(house.parts, (ctx) => applyCatalog(ctx, files));
}

/** A running app of a new customer, on the plan `free`. */
export interface RentedApp extends AsyncDisposable {
  readonly client: Client;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly namespace: string;
  sizeOf(slug: Size): Promise<ChangeRequest>;
  plan(change: ChangeRequest): Promise<Change>;
  approve(plan: Change, confirmName?: string): Promise<Change>;
  /** Waits until nothing follows any more. */
  ended(changeId: string): Promise<Change>;
}

const key = (): string => `change-${crypto.randomUUID()}`;
const isOver = ({ endedAt }: Change): boolean => endedAt !== null;

export async function rentApp(house: House): Promise<RentedApp> {
  const client = await house.customer();
  const { api } = client;
  const { subscription } = await order(client);
  const { instanceId } = subscription;
  await reached(client, instanceId, isUp);
  const see = (changeId: string, is: (seen: Change) => boolean): Promise<Change> =>
    until("the change got there", async () => {
      const seen = await api.instances.getPlan.query({ changeId });
      return is(seen) ? seen : null;
    });
  return {
    client,
    subscriptionId: subscription.id,
    instanceId,
    namespace: `sewa-${toUuid("instance", instanceId)}`,
    async sizeOf(slug) {
      const { plans } = await api.offerings.get.query({ slug: "uptime-kuma" });
      return { kind: "resize", planId: plans.find((plan) => plan.slug === slug)!.id };
    },
    async plan(change) {
      const { id } = await api.instances.plan.mutate({ instanceId, change, idempotencyKey: key() });
      return see(id, ({ status }) => status !== "planning");
    },
    approve: ({ id: changeId, hash }, confirmName) =>
      api.instances.executePlan.mutate({
        changeId,
        hash: hash ?? "",
        idempotencyKey: key(),
        ...(confirmName === undefined ? {} : { confirmName }),
      }),
    ended: (changeId) => see(changeId, isOver),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

const madeByOthers = new Set(["Event", "Pod", "ReplicaSet", "Endpoints", "EndpointSlice"]);
const bookkeeping = /^sewa\.dev\/(generation|request-id)$/;

/** What somebody has asked of the cluster for an app, by kind and name, with which object it is. */
export function worldOf(devcluster: Devcluster, namespace: string): ReadonlyMap<string, string> {
  const own = devcluster
    .objects()
    .filter(
      ({ kind, metadata }) =>
        !madeByOthers.has(kind) &&
        metadata.labels?.["app.kubernetes.io/managed-by"] === "sewa" &&
        (metadata.namespace ?? metadata.name) === namespace,
    );
  return new Map(
    own.map((object) => {
      const {
        apiVersion: _version,
        kind,
        metadata,
        status: _status,
        ...content
      } = object as typeof object & {
        readonly status?: unknown;
      };
      const annotations = Object.entries(metadata.annotations ?? {}).filter(
        ([name]) => name.startsWith("sewa.dev/") && !bookkeeping.test(name),
      );
      const name = kind === "Namespace" ? kind : `${kind} ${metadata.name}`;
      const labels = Object.entries(metadata.labels ?? {}).filter(([key]) => !bookkeeping.test(key));
      return [name, sorted([content, Object.fromEntries(labels), Object.fromEntries(annotations), metadata.uid])];
    }),
  );
}

/** Lines such as `changed Deployment app`. */
export function difference(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const created = [...now.keys()].filter((name) => !before.has(name)).map((name) => `created ${name}`);
  const deleted = [...before.keys()].filter((name) => !now.has(name)).map((name) => `deleted ${name}`);
  const changed = [...before].filter(([name, content]) => now.has(name) && now.get(name) !== content);
  return [...created, ...deleted, ...changed.map(([name]) => `changed ${name}`)].toSorted();
}

export function linesOf({ effects }: Change): readonly string[] {
  return (effects?.objects ?? [])
    .map(({ action, kind, name }) => `${action} ${kind} ${name ?? ""}`.trimEnd())
    .toSorted();
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item === null || typeof item !== "object" || Array.isArray(item)
      ? item
      : Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
}
