import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Client } from "@sewa/dev";
import type { Devcluster, FaultyAnswer } from "@sewa/devcluster";
import { type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";
import { declaredObjects, findDangling, readStory } from "./world.ts";

/** A plain test run leaves out the two rows that wait for time-outs and back-off. */
const isWhole = (process.env["FAULT_RUNS"] ?? "") !== "";

const stack = new AsyncDisposableStack();
let house: House;
let cluster: Devcluster;
let client: Client;

beforeAll(async () => {
  house = stack.use(await startHouse({ workers: 0 }));
  const { env, devcluster } = house.parts;
  cluster = devcluster!;
  stack.use(await startCrew(env));
}, 90_000);

afterAll(() => stack.disposeAsync());

beforeEach(async () => void (client = await house.customer()));
afterEach(async () => {
  cluster.faults.clear();
  await client[Symbol.asyncDispose]();
});

const singles = ["Deployment", "Ingress", "Job", "Namespace", "PersistentVolumeClaim", "Secret", "Service"];
const oneOfEach = { singles, operations: ["provision succeeded", "deprovision succeeded"], gaps: 0 };

/** Orders under the fault and waits until the app is up; then it is cancelled, nothing dangles, and this is what there was. */
async function survive(duringOrder: () => Promise<void> | void): Promise<typeof oneOfEach> {
  const { subscription } = await order(client, "App");
  await duringOrder();
  await reached(client, subscription.instanceId, isUp);
  const objects = declaredObjects(cluster, toUuid("instance", subscription.instanceId));
  cluster.faults.clear();
  const idempotencyKey = `end-${crypto.randomUUID()}`;
  const { id: subscriptionId } = subscription;
  await client.api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey });
  await until("nothing dangles", async () => ((await findDangling(house)).length === 0 ? true : null));
  const { organization } = await client.api.auth.me.query();
  const { operations, gaps } = await readStory(house.parts.databaseUrl, toUuid("organization", organization.id));
  const kinds = objects.map((line) => line.split(" ")[0] ?? "").filter((kind) => singles.includes(kind));
  return { singles: kinds, operations: [...operations], gaps };
}

/** Survives while the order's first applies are answered so; the last entry says how many were. */
async function surviveAnswers(times: number, how: FaultyAnswer): Promise<readonly unknown[]> {
  const faulty = cluster.faults.answer({ verb: "patch", times }, how);
  return [await survive(() => undefined), faulty.met];
}

test("K2 an apply that was done and whose answer was lost is made again, and there is one object", async () => {
  expect(await surviveAnswers(2, "lost")).toEqual([oneOfEach, 2]);
}, 90_000);

test.runIf(isWhole)(
  "K3 a cluster that says nothing is given up, and the app comes up when it speaks again",
  async () => {
    expect(await surviveAnswers(1, "silent")).toEqual([oneOfEach, 1]);
  },
  120_000,
);

test.runIf(isWhole)(
  "K6 a cluster that refuses some changes with 503 gets them again, and there is one of each",
  async () => {
    expect(await surviveAnswers(3, { status: 503 })).toEqual([oneOfEach, 3]);
  },
  120_000,
);

test("K14 watches that are reset come back by themselves", async () => {
  expect(await survive(() => expect(cluster.dropWatches()).toBeGreaterThan(0))).toEqual(oneOfEach);
}, 90_000);
