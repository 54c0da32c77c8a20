import { randomInt } from "node:crypto";
import { connectDatabase } from "@sewa/db";
import { expect, test } from "vitest";
import {
  difference,
  linesOf,
  offerSizes,
  type ChangeRequest,
  rentApp,
  type RentedApp,
  type Size,
  worldOf,
} from "./change-house.ts";
import { startCrew } from "./faults/crew.ts";
import { findDangling, volumeUid } from "./faults/world.ts";
import { type House, isUp, reached, startHouse, until } from "./house.ts";

interface Resources {
  readonly requests: Readonly<Record<string, string>>;
}

/** What the containers of the app's only pod really ask for. */
function requestsOf(house: House, { namespace }: RentedApp): Readonly<Record<string, string>> | null {
  const pods = house.parts
    .devcluster!.objects("Pod")
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.["sewa.dev/workload"] === "app");
  const [pod] = pods as unknown as readonly { spec: { containers: readonly { resources: Resources }[] } }[];
  return pods.length === 1 ? (pod?.spec.containers[0]?.resources.requests ?? null) : null;
}

async function held(house: House): Promise<readonly number[]> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  const rows = await database.drizzle.execute<{ cpu: string }>(
    "select held_cpu_millis as cpu from node_pools order by 1 desc",
  );
  return rows.map(({ cpu }) => Number(cpu));
}

const uidOf = (house: House, { namespace }: RentedApp): string | null =>
  volumeUid(house.parts.devcluster!, namespace.replace(/^sewa-/, ""));

test(
  "a running app is made larger and smaller again: what was planned is what is there, on the same volume",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await offerSizes(house);
    await using app = await rentApp(house);
    const volume = uidOf(house, app);
    const told: string[] = [];
    const stream = app.client.api.instances.onEvent.subscribe(
      { instanceId: app.instanceId, lastEventId: null },
      { onData: ({ data }) => data.kind === "event" && told.push(data.event.type) },
    );

    for (const [size, cpu, memory, millis] of [
      ["roomy", "200m", "512Mi", 200],
      ["free", "100m", "256Mi", 100],
    ] as const) {
      const plan = await app.plan(await app.sizeOf(size));
      expect(plan).toMatchObject({ status: "planned", due: { amountMinor: 0n }, after: { planName: size } });
      // Requests only: the limits, and so the LimitRange, are the same in both sizes.
      expect(linesOf(plan)).toEqual(["changed Deployment app", "changed ResourceQuota plan"]);
      expect(plan.effects?.warnings.map(({ code }) => code)).toEqual(["RESTARTS"]);
      await app.approve(plan);
      expect(await app.ended(plan.id)).toMatchObject({ status: "executed" });
      await until("one pod has the new size", () => requestsOf(house, app)?.["cpu"] === cpu || null);
      expect(requestsOf(house, app)).toMatchObject({ cpu, memory });
      await until("the room is as large as the app", async () => (await held(house))[0] === millis || null);
    }

    expect(uidOf(house, app)).toBe(volume);
    const { items } = await app.client.api.operations.list.query({ instanceId: app.instanceId });
    expect(items.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      "resize succeeded",
      "resize succeeded",
      "provision succeeded",
    ]);
    await until(
      "a portal has heard of all of it",
      () => told.filter((type) => type === "change.executed").length === 2 || null,
    );
    stream.unsubscribe();
    expect(told.filter((type) => type.startsWith("change.")).slice(0, 4)).toEqual([
      "change.planned",
      "change.approved",
      "change.started",
      "change.executed",
    ]);
  },
);

/** Numbers that only the seed decides. */
function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

test(
  "for random changes one after the other, what each plan lists is exactly what the world then shows",
  { timeout: 240_000 },
  async () => {
    const seed = Number(process.env["CHANGE_SEED"] ?? randomInt(2 ** 31));
    console.log(`CHANGE_SEED=${seed}`);
    const roll = dice(seed);
    await using house = await startHouse();
    await offerSizes(house);
    await using app = await rentApp(house);
    const cluster = house.parts.devcluster!;
    const volume = uidOf(house, app);
    let [size, zone, version]: [Size, string, number] = ["free", "Asia/Jakarta", 1];

    const next = async (): Promise<ChangeRequest> => {
      const other = <T>(all: readonly T[], now: T): T => {
        const rest = all.filter((one) => one !== now);
        return rest[roll(rest.length)]!;
      };
      switch (roll(3)) {
        case 0:
          size = other<Size>(["free", "roomy", "wide"], size);
          return app.sizeOf(size);
        case 1:
          zone = other(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"], zone);
          return { kind: "update", parameters: { timeZone: zone } };
        default:
          version += 1;
          await offerSizes(house, `version-${version}`);
          return { kind: "upgrade" };
      }
    };
    for (let step = 0; step < 8; step += 1) {
      const before = worldOf(cluster, app.namespace);
      const plan = await app.plan(await next());
      expect(plan.status).toBe("planned");
      expect(worldOf(cluster, app.namespace)).toEqual(before);
      await app.approve(plan);
      expect(await app.ended(plan.id)).toMatchObject({ status: "executed" });
      expect(difference(before, worldOf(cluster, app.namespace))).toEqual(linesOf(plan));
      await reached(app.client, app.instanceId, isUp);
    }
    expect(uidOf(house, app)).toBe(volume);

    const before = worldOf(cluster, app.namespace);
    const removal = await app.plan({ kind: "deprovision" });
    expect(removal.effects?.dataLost).toMatchObject([{ kind: "volume", sizeBytes: 2 ** 30 }, { kind: "secrets" }]);
    await app.approve(removal, "Status page");
    expect(await app.ended(removal.id)).toMatchObject({ status: "executed" });
    expect(difference(before, worldOf(cluster, app.namespace))).toEqual(linesOf(removal));
    await until("nothing dangles", async () => ((await findDangling(house)).length === 0 ? true : null));
  },
);

test(
  "K27 what somebody changed by hand after the plan was made keeps it from being carried out, and nothing of it is done",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await offerSizes(house);
    await using app = await rentApp(house);
    const cluster = house.parts.devcluster!;
    for (const request of [await app.sizeOf("roomy"), { kind: "deprovision" } as const]) {
      const plan = await app.plan(request);
      // A label is nobody else's to take away, so it is still there when the plan is approved.
      const token = /token: "?([^"\n]+)/.exec(cluster.kubeconfig)![1]!.trim();
      const path = `/apis/apps/v1/namespaces/${app.namespace}/deployments/app?fieldManager=somebody`;
      const touched = await fetch(`${cluster.url}${path}`, {
        method: "PATCH",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" },
        body: JSON.stringify({ metadata: { labels: { touched: plan.kind } } }),
      });
      expect(touched.status).toBe(200);
      const before = worldOf(cluster, app.namespace);
      await app.approve(plan, "Status page");
      expect(await app.ended(plan.id)).toMatchObject({ status: "refused", reason: "PLAN_STALE", operationId: null });
      expect(worldOf(cluster, app.namespace)).toEqual(before);
      const instance = await app.client.api.instances.get.query({ instanceId: app.instanceId });
      expect(instance).toMatchObject({ planName: "free", desiredPhase: "running", observedPhase: "running" });
      expect(await held(house)).toEqual([100]);
    }
    // Planned anew, with the label, it is done.
    const plan = await app.plan(await app.sizeOf("roomy"));
    await app.approve(plan);
    expect(await app.ended(plan.id)).toMatchObject({ status: "executed" });
  },
);

test(
  "Q1 killed before or after a change of the cluster in the middle of a resize, the next worker ends with the whole of it",
  { timeout: 240_000 },
  async () => {
    await using house = await startHouse({ workers: 0 });
    await offerSizes(house);
    await using crew = await startCrew(house.parts.env);
    await using app = await rentApp(house);
    const cluster = house.parts.devcluster!;
    const volume = uidOf(house, app);
    const points = [
      { name: "apply:Namespace", nth: 1, when: "after" },
      { name: "apply:ResourceQuota", nth: 1, when: "before" },
      { name: "apply:Deployment", nth: 1, when: "before" },
      { name: "apply:Deployment", nth: 1, when: "after" },
    ] as const;
    for (const [index, point] of points.entries()) {
      const size = index % 2 === 0 ? "roomy" : "free";
      const plan = await app.plan(await app.sizeOf(size));
      const before = worldOf(cluster, app.namespace);
      const deaths = crew.deaths();
      await crew.arm(point);
      await app.approve(plan);
      expect({ point, ...(await app.ended(plan.id)) }).toMatchObject({ point, status: "executed" });
      await crew.settled();
      expect({ point, deaths: crew.deaths() }).toEqual({ point, deaths: deaths + 1 });
      expect({ point, lines: difference(before, worldOf(cluster, app.namespace)) }).toEqual({
        point,
        lines: linesOf(plan),
      });
      const cpu = size === "roomy" ? 200 : 100;
      await until("one pod has the new size", () => requestsOf(house, app)?.["cpu"] === `${cpu}m` || null);
      await until("the room is as large as the app", async () => (await held(house))[0] === cpu || null);
    }
    expect(uidOf(house, app)).toBe(volume);
    const { items } = await app.client.api.operations.list.query({ instanceId: app.instanceId });
    expect(items.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      ...points.map(() => "resize succeeded"),
      "provision succeeded",
    ]);
  },
);
