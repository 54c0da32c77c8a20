import { connectDatabase } from "@sewa/db";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { type Crew, type Member, startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";
import { randomOf } from "../random.ts";
import { declaredObjects, findDangling, podCount, readStory, type Story } from "./world.ts";

/** Set: also a kill that nobody hurries. */
const isWhole = process.env["FAULT_RUNS"] !== undefined && process.env["FAULT_RUNS"] !== "";
/** One kill in each stage of each. */
const lives = 5;
const firstSeed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);

const stages = ["provision", "stop", "start", "cancel"] as const;
type Stage = (typeof stages)[number];

interface Lived {
  readonly story: Story;
  /** What is in the cluster after each stage. */
  readonly looks: Readonly<Record<Stage, { readonly objects: readonly string[]; readonly pods: number }>>;
  /** How long each stage took. */
  readonly tookMs: Readonly<Record<Stage, number>>;
}

/** Plays the life of one app; `during` is called at the beginning of each stage and goes on beside it. */
async function play(house: House, crew: Crew, during: (stage: Stage) => Promise<void>): Promise<Lived> {
  await using client = await house.customer();
  const { api } = client;
  const cluster = house.parts.devcluster!;
  const looks: Partial<Record<Stage, Lived["looks"][Stage]>> = {};
  const tookMs: Partial<Record<Stage, number>> = {};
  const { organization } = await api.auth.me.query();
  const organizationId = toUuid("organization", organization.id);
  const key = (): string => `takeover-${crypto.randomUUID()}`;
  let instanceId = "";
  let subscriptionId = "";
  const acts: Readonly<Record<Stage, () => Promise<unknown>>> = {
    async provision() {
      ({ id: subscriptionId, instanceId } = (await order(client, "App")).subscription);
      await reached(client, instanceId, isUp);
    },
    async stop() {
      await api.instances.stop.mutate({ instanceId, idempotencyKey: key() });
      await reached(client, instanceId, ({ observedPhase }) => observedPhase === "stopped");
    },
    async start() {
      await api.instances.start.mutate({ instanceId, idempotencyKey: key() });
      await reached(client, instanceId, isUp);
    },
    async cancel() {
      await api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey: key() });
      await until("it is closed", async () => (await api.subscriptions.get.query({ subscriptionId })).purgedAt);
    },
  };
  for (const stage of stages) {
    const startedAt = performance.now();
    const [, ended] = await Promise.all([during(stage), acts[stage]().then(() => performance.now())]);
    tookMs[stage] = ended - startedAt;
    await until(`all is told after ${stage}`, async () => {
      await crew.settled();
      const { operations, notifications } = await readStory(house.parts.databaseUrl, organizationId);
      const lines = [...operations, ...notifications];
      return lines.every((line) => / (succeeded|sent)$/.test(line)) ? true : null;
    });
    const uuid = toUuid("instance", instanceId);
    const pods = stage === "provision" || stage === "start" ? 1 : 0;
    await until("its pods are as wanted", () => (podCount(cluster, uuid) === pods ? true : null));
    looks[stage] = { objects: declaredObjects(cluster, uuid), pods };
  }
  await expectNothingDangles(house);
  return {
    story: await readStory(house.parts.databaseUrl, organizationId),
    looks: looks as Lived["looks"],
    tookMs: tookMs as Lived["tookMs"],
  };
}

async function expectNothingDangles(house: House): Promise<void> {
  let dangling: readonly string[] = [];
  await until("nothing dangles", async () => {
    dangling = await findDangling(house);
    return dangling.length === 0 ? true : null;
  }).catch((error: unknown) => {
    throw new Error(`Dangling: ${dangling.join(", ")}`, { cause: error });
  });
}

/** Whoever holds an app or a job now, so that the kill is not wasted on one that is idle; else the first one. */
async function findBusy(house: House, crew: Crew): Promise<Member> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  const rows = await database.drizzle.execute<{ pool: string }>(sql`
    select holder as pool from instance_leases where leased_until > now()
    union all select locked_by from graphile_worker._private_jobs where locked_by is not null`);
  return crew.members.find(({ poolId }) => rows.some(({ pool }) => pool === poolId)) ?? crew.members[0]!;
}

test(
  `Q1 of two workers one is killed at random moments: the others take its work over, and each piece of it is done once (FAULT_SEED=${firstSeed})`,
  { timeout: 60_000 + lives * 120_000 },
  async () => {
    await using house = await startHouse({ workers: 0 });
    await using crew = await startCrew(house.parts.env, { size: 2 });
    const clean = await play(house, crew, () => Promise.resolve());
    expect(clean.story.operations).toEqual(
      ["provision", "stop", "start", "deprovision"].map((kind) => `${kind} succeeded`),
    );
    const random = randomOf(firstSeed);
    for (let life = 0; life < lives; life += 1) {
      const moments: string[] = [];
      const { story, looks } = await play(house, crew, async (stage) => {
        const afterMs = random() * clean.tookMs[stage];
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        moments.push(`${stage} after ${Math.round(afterMs)} ms`);
        await crew.kill(await findBusy(house, crew));
      });
      expect({ moments, story, looks }).toEqual({ moments, story: clean.story, looks: clean.looks });
    }
    expect(crew.deaths()).toBe(lives * stages.length);
  },
);

test.runIf(isWhole)(
  "Q1 a worker is killed and nobody hurries: within two minutes its work is taken over",
  { timeout: 240_000 },
  async () => {
    await using house = await startHouse({ workers: 0 });
    await using crew = await startCrew(house.parts.env, { size: 2, agesRows: false });
    await using client = await house.customer();
    await crew.arm({ name: "apply:Deployment", nth: 1, when: "before" });
    const deaths = crew.deaths();
    const { subscription } = await order(client, "App");
    await until("its worker has died", () => (crew.deaths() > deaths ? true : null));
    await crew.settled();
    await crew.arm(null);
    const isRunning = async (): Promise<true | null> => {
      const instance = await client.api.instances.get.query({ instanceId: subscription.instanceId });
      return isUp(instance) ? true : null;
    };
    expect(await until("the app is up", isRunning, 120_000)).toBe(true);
  },
);

test("O5 a worker that runs out of memory dies like a killed one, and the next one does its work", async () => {
  await using house = await startHouse({ workers: 0 });
  await using crew = await startCrew(house.parts.env, { nodeArguments: ["--max-old-space-size=256"], isQuiet: true });
  await using customer = await house.customer();
  await crew.arm({ name: "apply:Deployment", nth: 1, when: "before", harm: "exhaust" });
  const { subscription } = await order(customer, "App");
  await reached(customer, subscription.instanceId, isUp);
  expect(crew.deaths()).toBe(1);
  const uuid = toUuid("instance", subscription.instanceId);
  expect(podCount(house.parts.devcluster!, uuid)).toBe(1);
  const { organization } = await customer.api.auth.me.query();
  const { operations } = await readStory(house.parts.databaseUrl, toUuid("organization", organization.id));
  expect(operations).toEqual(["provision succeeded"]);
}, 90_000);
