import { runJob, type JobName } from "@sewa/core";
import { withCore } from "@sewa/dev";
import { expect, test } from "vitest";
import { type House, isUp, order, reached, startHouse, until } from "./house.ts";

/** Runs what the clock runs each minute, now. */
function prompt(house: House, job: JobName): Promise<unknown> {
  return withCore(house.parts, (ctx) => runJob(ctx, job, {}));
}

test(
  "what a running app uses is seen by its customer, with the plan's limits, and by nobody else",
  { timeout: 90_000 },
  async () => {
    await using house = await startHouse();
    const usage = { cpuMillis: 123, memoryBytes: 96 * 1024 ** 2 };
    house.parts.devcluster!.metrics.setUsage("uptime-kuma", usage);
    await using client = await house.customer();
    await using stranger = await house.customer();
    const { subscription } = await order(client);
    const { instanceId } = subscription;
    await reached(client, instanceId, isUp);

    await prompt(house, "usage:sample");
    const metrics = await until("the sample is there", async () => {
      const answer = await client.api.instances.metrics.query({ instanceId });
      return answer.points.some(({ cpu }) => cpu !== null) ? answer : null;
    });

    expect(metrics).toMatchObject({
      range: "24h",
      stepSeconds: 300,
      limits: { cpuMillis: 500, memoryBytes: 512 * 1024 ** 2, storageBytes: 1024 ** 3 },
    });
    expect(metrics.points).toHaveLength(288);
    const measured = metrics.points.filter(({ cpu }) => cpu !== null);
    for (const point of measured) {
      expect(point).toEqual({
        start: expect.any(Date) as Date,
        cpu: { averageMillis: 123, maxMillis: 123 },
        memory: { averageBytes: usage.memoryBytes, maxBytes: usage.memoryBytes },
        storageBytes: 1024 ** 3,
      });
    }
    const month = await client.api.instances.metrics.query({ instanceId, range: "30d" });
    expect(month.points.filter(({ cpu }) => cpu !== null).length).toBeGreaterThan(0);
    await expect(stranger.api.instances.metrics.query({ instanceId })).rejects.toMatchObject({
      data: { appCode: "NOT_FOUND" },
    });
  },
);

test(
  "an app that hangs while its pods are well is found by the probe and shown as degraded, and as running when it answers again",
  { timeout: 240_000 },
  async () => {
    await using house = await startHouse({ workers: 2 });
    const cluster = house.parts.devcluster!;
    await using client = await house.customer();
    const { subscription } = await order(client);
    const { instanceId } = subscription;
    const { url, pods } = await reached(client, instanceId, isUp);

    cluster.apps.stopAnswering(new URL(url).hostname);
    await prompt(house, "instance:probe");
    const failing = await reached(client, instanceId, ({ reason }) => reason === "HEALTH_CHECK_FAILED");
    expect(failing.isOpen).toBe(false);
    // For its first minute a new address may just not be known to the ingress controller yet.
    const degraded = await until(
      "it is degraded",
      async () => {
        const instance = await client.api.instances.get.query({ instanceId });
        return instance.observedPhase === "degraded" ? instance : null;
      },
      100_000,
    );
    expect(degraded.reason).toBe("HEALTH_CHECK_FAILED");
    expect(degraded.pods.map(({ name, ready }) => [name, ready])).toEqual(pods.map(({ name }) => [name, true]));
    // A minute that began with an answer counts as up; then it is the next one, whose probe the clock brings.
    const day = await until(
      "a minute counts as down",
      async () => {
        const { days } = await client.api.instances.uptime.query({ instanceId, days: 2 });
        return days.find(({ downSeconds }) => downSeconds > 0) ?? null;
      },
      100_000,
    );
    expect(day.downSeconds % 60).toBe(0);

    cluster.apps.clear();
    await reached(client, instanceId, isUp);
    const { items } = await client.api.instances.events.query({ instanceId });
    expect(items.filter(({ type }) => type === "instance.wentDown")).toEqual([]);
  },
);
