import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reapDeadPools } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { withCore } from "@sewa/dev";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { type Crew, type Member, makeOld, startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";
import { declaredObjects, findDangling, podCount, readStory } from "./world.ts";
import type { Harm } from "./worker-process.ts";

const probeMs = 1_000;

let house: House;
let crew: Crew;

beforeAll(async () => {
  house = await startHouse({ workers: 0 });
  crew = await startCrew(house.parts.env, { size: 2 });
}, 90_000);

afterAll(async () => {
  await crew?.[Symbol.asyncDispose]();
  await house?.[Symbol.asyncDispose]();
});

/** Orders an app whose provisioning comes to harm just before the workload is applied; answers who was struck. */
async function orderWithHarm(customer: Customer, harm: Harm) {
  await crew.arm({ name: "apply:Deployment", nth: 1, when: "before", harm });
  const { subscription } = await order(customer, "App");
  const struck = await until("a worker was struck", () => crew.members.find((member) => member.isStruck()) ?? null);
  for (const member of crew.members) if (member !== struck) await crew.arm(null, member);
  return { subscription, struck };
}

/** As if it had been silent for a minute, and another worker had looked for the dead just now. */
async function giveUp({ poolId }: Member): Promise<void> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  await makeOld(database, poolId);
  expect(await withCore(house.parts, reapDeadPools)).toContain(poolId);
}

/** The supervisor's question, which a process that does nothing does not answer. */
function isAlive({ internalUrl }: Member): Promise<boolean> {
  return fetch(`${internalUrl}/healthz`, { signal: AbortSignal.timeout(probeMs) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** How many passes over apps a worker has ended, whatever came of them. */
async function passesOf({ internalUrl }: Member): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  const counts = [...text.matchAll(/^sewa_job_duration_seconds_count\{task="instance:reconcile",[^}]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/**
 * The customer's wish changes while the worker is away, so what that one had in mind is wrong when it wakes up. It may still
 * tell it to the cluster; in the end the world and the story are those of a life in which it never woke.
 */
async function expectOneStory(harm: Harm, wake: (struck: Member) => Promise<void>): Promise<void> {
  await using customer = await house.customer();
  const { api } = customer;
  const passesBefore = new Map(await Promise.all(crew.members.map(async (one) => [one, await passesOf(one)] as const)));
  const { subscription, struck } = await orderWithHarm(customer, harm);
  const { instanceId, id: subscriptionId } = subscription;
  expect(await isAlive(struck)).toBe(false);
  await giveUp(struck);
  await reached(customer, instanceId, isUp);
  await api.instances.stop.mutate({ instanceId, idempotencyKey: "stop-while-away" });
  await reached(customer, instanceId, ({ observedPhase }) => observedPhase === "stopped");

  await wake(struck);
  await until("it is alive again", async () => ((await isAlive(struck)) ? true : null));
  await until("it has ended what it was at", async () =>
    (await passesOf(struck)) > passesBefore.get(struck)! ? true : null,
  );
  const cluster = house.parts.devcluster!;
  const uuid = toUuid("instance", instanceId);
  await until("the app is stopped", async () => {
    const { observedPhase } = await api.instances.get.query({ instanceId });
    const [deployment] = cluster.objects("Deployment").filter(({ metadata }) => metadata.namespace === `sewa-${uuid}`);
    const replicas = (deployment?.["spec"] as { readonly replicas: number } | undefined)?.replicas;
    return observedPhase === "stopped" && replicas === 0 && podCount(cluster, uuid) === 0 ? true : null;
  });
  const kinds = declaredObjects(cluster, uuid).map((line) => line.split(" ")[0]);
  for (const kind of ["Namespace", "Deployment", "Service", "PersistentVolumeClaim"])
    expect(kinds.filter((found) => found === kind)).toEqual([kind]);

  await api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey: "end-the-app" });
  await until("nothing dangles", async () => ((await findDangling(house)).length === 0 ? true : null));
  const { organization } = await api.auth.me.query();
  const story = await readStory(house.parts.databaseUrl, toUuid("organization", organization.id));
  expect(story.operations).toEqual(["provision succeeded", "stop succeeded", "deprovision succeeded"]);
  expect(story.events.filter((type) => type === "instance.ready")).toHaveLength(1);
  expect(story.notifications.filter((line) => line.startsWith("app_ready"))).toHaveLength(1);
  expect(story.gaps).toBe(0);
  expect(crew.deaths()).toBe(0);
}

test("Q3 a worker that was frozen in mid-provision and thaws after others took over changes nothing for good", async () => {
  await expectOneStory("freeze", async ({ child }) => void child.kill("SIGCONT"));
}, 90_000);

test("Q9 a worker whose event loop is blocked does not answer for its life, is taken over, and changes nothing for good", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sewa-block-"));
  const blockUntil = join(folder, "over");
  try {
    await expectOneStory({ blockUntil }, () => writeFile(blockUntil, ""));
  } finally {
    await rm(folder, { recursive: true });
  }
}, 90_000);
