import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isJobName, jobKey, jobs } from "@sewa/core";
import { parseCrontab } from "graphile-worker";
import { expect, test } from "vitest";
import { crontabFile } from "./queue.ts";
import { startProcess, startTestHouse } from "./test-house.ts";

const command = fileURLToPath(new URL("./node_modules/graphile-worker/dist/cli.js", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));

test.each([
  ["the root", root, "apps/worker/graphile.config.ts"],
  ["apps/worker", here, "graphile.config.ts"],
])("the stock command runs what waits from %s and ends by itself", async (_, cwd, config) => {
  await using house = await startTestHouse();
  await house.order();
  await using run = startProcess([command, "-C", config, "--once"], house.env, cwd);
  expect({ code: await run.exited, output: run.output() }).toMatchObject({ code: 0 });
  expect(house.cluster.objects("Deployment")).toHaveLength(1);
  expect(await house.lockedJobs()).toEqual([]);
  expect(await house.sql("select id from graphile_worker.jobs where run_at <= now()")).toEqual([]);
});

test("Q13 the stock command refuses a payload that does not fit, and leaves it to be tried again", async () => {
  await using house = await startTestHouse();
  await house.sql(`select graphile_worker.add_job('mail:send', '{"to": "everybody"}'::json)`);
  await using run = startProcess([command, "-C", "graphile.config.ts", "--once"], house.env, here);
  expect({ code: await run.exited, output: run.output() }).toMatchObject({ code: 0 });
  const [job] = await house.sql("select last_error, is_available from graphile_worker._private_jobs");
  expect(job).toEqual({
    last_error: expect.stringMatching(/mail:send.*notificationId/) as string,
    is_available: true,
  });
});

test("without a cluster, jobs of apps are left to other workers", async () => {
  await using house = await startTestHouse();
  await house.order();
  const { KUBECONFIG: _, ...env } = house.env;
  await using run = startProcess([command, "-C", "graphile.config.ts", "--once"], env, here);
  expect({ code: await run.exited, output: run.output() }).toMatchObject({ code: 0 });
  const waiting = await house.sql("select task_identifier, attempts from graphile_worker.jobs");
  expect(waiting).toContainEqual({ task_identifier: "instance:reconcile", attempts: 0 });
});

test("each line of the crontab names a task of ours, under the key and with the priority that enqueue uses", () => {
  const items = parseCrontab(readFileSync(crontabFile, "utf8"));
  expect(items.map(({ task }) => task).toSorted((a = "", b = "") => a.localeCompare(b))).toEqual([
    "account:sweep",
    "audit:check",
    "books:check",
    "books:check",
    "house:clean",
    "impersonation:sweep",
    "instance:probe",
    "instance:sweep",
    "inventory:audit",
    "keys:rotate",
    "ledger:check",
    "mail:sweep",
    "node:reconcile",
    "operator:remind",
    "payment:sweep",
    "subscription:remind",
    "subscription:sweep",
    "usage:rate",
    "usage:sample",
  ]);
  for (const { task, options, payload } of items) {
    expect(isJobName(task) && jobKey(task, (payload ?? {}) as never)).toBe(options.jobKey);
    expect(isJobName(task) && jobs[task].payload.safeParse(payload ?? {}).success).toBe(true);
    expect(options.jobKeyMode).toBe("replace");
    expect(isJobName(task) && jobs[task].priority).toBe(options.priority);
  }
});
