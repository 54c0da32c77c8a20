import { listJobs } from "@sewa/core";
import type { Cluster } from "@sewa/provisioner";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { startTestHouse, until } from "./test-house.ts";
import { startWatch } from "./watch.ts";

test("news of many apps become prompts in the order of their ids, whatever order it came in, so that no two workers wait for each other", async () => {
  await using house = await startTestHouse();
  const ids = Array.from({ length: 40 }, () => crypto.randomUUID());
  let tell: (instanceId: string) => void = () => undefined;
  const cluster = {
    watch(onInstance: (instanceId: string) => void) {
      tell = onInstance;
      return { ready: () => Promise.resolve(), stats: () => ({}), [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  } as unknown as Cluster;
  await using _ = startWatch({ core: house.core, cluster, log: createLog({ level: "silent" }) });
  for (const id of ids) tell(id);
  const prompts = await until("all are prompts", async () => {
    const { items } = await listJobs(house.core, { task: "instance:reconcile", limit: 100 });
    return items.length === ids.length ? items : null;
  });
  // A job has its number from when it was added.
  expect(prompts.map(({ key }) => key)).toEqual(ids.toSorted().map((id) => `instance:reconcile:${id}`));
});
