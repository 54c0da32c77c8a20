import { connectDatabase } from "@sewa/db";
import { expect, test } from "vitest";
import { createNarrator, playStory } from "@sewa/dev";
import { isUp, order, reached, startHouse, until } from "./house.ts";

const silent = createNarrator({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);

test(
  "the main job: ordered, ready, expired, renewed on the same volume, cancelled, and nothing dangles",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await playStory(house.parts, house.servers[0]!.url, silent);
    expect((await house.inventory()).dangling["objects of ours in the cluster"]).toBe(0);
  },
);

test(
  "two servers and three workers: every order comes up once, seen live through either server",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse({ servers: 2, workers: 3 });
    const clients = await Promise.all([house.customer(house.servers[0]), house.customer(house.servers[1])]);
    const orders = await Promise.all(
      clients.flatMap((client) =>
        [1, 2, 3].map(async (number) => ({ client, order: await order(client, `App ${number}`) })),
      ),
    );

    const instances = await Promise.all(
      orders.map(({ client, order: { subscription } }) => reached(client, subscription.instanceId, isUp)),
    );

    expect(new Set(instances.map(({ url }) => url)).size).toBe(6);
    const running = house.parts.devcluster!.objects("Deployment");
    expect(running).toHaveLength(6);
    for (const client of clients) {
      const { items } = await client.api.operations.list.query({});
      expect(items.map(({ kind, status }) => `${kind} ${status}`)).toEqual(Array(3).fill("provision succeeded"));
      await client[Symbol.asyncDispose]();
    }
  },
);

test(
  "what is changed by hand in the cluster is made right again, without a new generation",
  { timeout: 60_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const { subscription } = await order(client);
    await reached(client, subscription.instanceId, isUp);
    const cluster = house.parts.devcluster!;
    const [deployment] = cluster.objects("Deployment");
    const { namespace = "", name, uid } = deployment!.metadata;

    const headers = { authorization: `Bearer ${/token: "?([^"\n]+)/.exec(cluster.kubeconfig)![1]!.trim()}` };
    const gone = await fetch(`${cluster.url}/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      method: "DELETE",
      headers,
    });
    expect(gone.status).toBe(200);

    await until("the Deployment is back", () => {
      const back = cluster.objects("Deployment").find(({ metadata }) => metadata.name === name);
      return back !== undefined && back.metadata.uid !== uid ? back : null;
    });
    await reached(client, subscription.instanceId, isUp);
    expect((await client.api.operations.list.query({})).items).toHaveLength(1);
  },
);

test(
  "K29 a first provisioning that cannot succeed is taken back: cancelled, told by mail, nothing left",
  { timeout: 90_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    house.parts.devcluster!.faults.failImagePull(/uptime-kuma/);
    const { subscription } = await order(client);
    const stuck = await reached(client, subscription.instanceId, ({ reason }) => reason === "IMAGE_PULL_FAILED");
    expect(stuck.message).not.toBeNull();

    await passDeadline(house.parts.databaseUrl);
    await until(
      "it is closed",
      async () => (await client.api.subscriptions.get.query({ subscriptionId: subscription.id })).purgedAt,
    );

    const closed = await client.api.subscriptions.get.query({ subscriptionId: subscription.id });
    expect(closed).toMatchObject({ status: "cancelled", cancelReason: "provisioning_failed" });
    await until("nothing dangles", async () =>
      Object.values((await house.inventory()).dangling).every((count) => count === 0) ? true : null,
    );
    await house.parts.mailHouse!.waitFor(({ subject, text }) => `${subject} ${text}`.includes("could not"));
  },
);

/** Five minutes of real time are over: as if the operation had been opened earlier. Then the sweep's job is prompted. */
async function passDeadline(databaseUrl: string): Promise<void> {
  await using database = connectDatabase({ url: databaseUrl, role: "sewa_worker", max: 1 });
  await database.drizzle.execute(
    "update operations set deadline_at = now() - interval '1 second' where finished_at is null",
  );
  await database.drizzle.execute(
    "select graphile_worker.add_job('instance:sweep', '{}'::json, job_key => 'instance:sweep')",
  );
}
