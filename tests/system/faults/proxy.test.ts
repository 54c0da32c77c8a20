import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Client } from "@sewa/dev";
import { type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";
import { type Fate, type Proxy, startProxy } from "./proxy.ts";
import { declaredObjects, findDangling, readStory } from "./world.ts";

/** A plain test run leaves out the two rows that wait for time-outs and back-off. */
const isWhole = (process.env["FAULT_RUNS"] ?? "") !== "";

const stack = new AsyncDisposableStack();
let house: House;
let kubernetes: Proxy;
let client: Client;

beforeAll(async () => {
  house = stack.use(await startHouse({ workers: 0 }));
  const { env, devcluster } = house.parts;
  kubernetes = stack.use(await startProxy(addressOf(devcluster!.url, 80)));
  const folder = await mkdtemp(join(tmpdir(), "sewa-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, "kubeconfig");
  const text = await readFile(env["KUBECONFIG"]!, "utf8");
  await writeFile(kubeconfig, text.replaceAll(devcluster!.url, `http://127.0.0.1:${kubernetes.port}`));
  stack.use(await startCrew({ ...env, KUBECONFIG: kubeconfig }));
}, 90_000);

afterAll(() => stack.disposeAsync());

beforeEach(async () => void (client = await house.customer()));
afterEach(async () => {
  kubernetes.decide = () => "pass";
  await client[Symbol.asyncDispose]();
});

function addressOf(url: string, standard: number): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || standard) };
}

const isApply = (head: string): boolean => head.startsWith("PATCH ");

const singles = ["Deployment", "Ingress", "Job", "Namespace", "PersistentVolumeClaim", "Secret", "Service"];
const oneOfEach = { singles, operations: ["provision succeeded", "deprovision succeeded"], gaps: 0 };

/** Orders under the fault and waits until the app is up; then it is cancelled, nothing dangles, and this is what there was. */
async function survive(duringOrder: () => Promise<void> | void): Promise<typeof oneOfEach> {
  const { subscription } = await order(client, "App");
  await duringOrder();
  await reached(client, subscription.instanceId, isUp);
  const objects = declaredObjects(house.parts.devcluster!, toUuid("instance", subscription.instanceId));
  kubernetes.decide = () => "pass";
  const idempotencyKey = `end-${crypto.randomUUID()}`;
  const { id: subscriptionId } = subscription;
  await client.api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey });
  await until("nothing dangles", async () => ((await findDangling(house)).length === 0 ? true : null));
  const { organization } = await client.api.auth.me.query();
  const { operations, gaps } = await readStory(house.parts.databaseUrl, toUuid("organization", organization.id));
  const kinds = objects.map((line) => line.split(" ")[0] ?? "").filter((kind) => singles.includes(kind));
  return { singles: kinds, operations: [...operations], gaps };
}

/** The first `count` applies share a fate; the others pass. Answers how many met it. */
function curseApplies(count: number, fate: Fate): () => number {
  let met = 0;
  kubernetes.decide = (head) => {
    if (!isApply(head) || met >= count) return "pass";
    met += 1;
    return fate;
  };
  return () => met;
}

test("K2 an apply that was done and whose answer was lost is made again, and there is one object", async () => {
  const met = curseApplies(2, "lose");
  expect(await survive(() => undefined)).toEqual(oneOfEach);
  expect(met()).toBe(2);
}, 90_000);

test.runIf(isWhole)(
  "K3 a cluster that says nothing is given up, and the app comes up when it speaks again",
  async () => {
    curseApplies(1, "swallow");
    expect(
      await survive(
        async () => void (await until("the call is given up", () => kubernetes.abandoned() || null, 30_000)),
      ),
    ).toEqual(oneOfEach);
  },
  120_000,
);

test.runIf(isWhole)(
  "K6 a cluster that refuses some changes with 503 gets them again, and there is one of each",
  async () => {
    const met = curseApplies(3, 503);
    expect(await survive(() => undefined)).toEqual(oneOfEach);
    expect(met()).toBe(3);
  },
  120_000,
);

test("K14 watches and calls that are reset come back by themselves", async () => {
  expect(await survive(() => expect(kubernetes.reset()).toBeGreaterThan(0))).toEqual(oneOfEach);
}, 90_000);
