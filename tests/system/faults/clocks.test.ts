import { runJob } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { type Client, createClient, withCore } from "@sewa/dev";
import { expect, test } from "vitest";
import { type Customer, type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { type AppProcess, startApp } from "./app-process.ts";
import { toUuid } from "./life.ts";
import { readStory } from "./world.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Two processes ask the database at different moments, and a busy machine is slow in between. */
const closeMs = minuteMs;
/** A healthy worker runs some dozens of jobs in such a test; one that takes every time for due runs them without end. */
const stormJobs = 1_000;

/** For Node: a machine whose clock is so far ahead (or behind, below zero), and jumps by `jumpMs` more on SIGUSR2. */
function withClock(aheadMs: number, jumpMs = 0): { readonly nodeArguments: readonly string[] } {
  const program = `
    let ahead = ${aheadMs};
    const Real = Date;
    const now = () => Real.now() + ahead;
    globalThis.Date = new Proxy(Real, {
      construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [now()] : given, self),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });
    process.on("SIGUSR2", () => { ahead += ${jumpMs}; });`;
  return { nodeArguments: ["--import", `data:text/javascript,${encodeURIComponent(program)}`] };
}

/** What its log says, which goes by the clock of its machine. */
function expectItsClockIs(aheadMs: number, { started }: AppProcess): void {
  const seenMs = new Date(started["time"]!).getTime() - Date.now();
  expect(Math.abs(seenMs - aheadMs)).toBeLessThan(5 * minuteMs);
}

async function query(house: House, statement: string): Promise<readonly Record<string, unknown>[]> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  return await database.drizzle.execute(statement);
}

async function operationsOf(house: House, { api }: Client): Promise<readonly string[]> {
  const { organization } = await api.auth.me.query();
  return (await readStory(house.parts.databaseUrl, toUuid("organization", organization.id))).operations;
}

async function stopAndStart(customer: Customer, instanceId: string): Promise<void> {
  const { instances } = customer.api;
  await instances.stop.mutate({ instanceId, idempotencyKey: `stop-${instanceId}` });
  await reached(customer, instanceId, ({ observedPhase }) => observedPhase === "stopped");
  await instances.start.mutate({ instanceId, idempotencyKey: `start-${instanceId}` });
  await reached(customer, instanceId, isUp);
}

test.each([10, -10])(
  "Q14 a worker whose clock is %i minutes off ends nothing early, and puts nothing off",
  async (minutes) => {
    await using house = await startHouse();
    await using customer = await house.customer();
    const first = (await order(customer, "App")).subscription.instanceId;
    await reached(customer, first, isUp);
    await house.workers[0]!.close();
    const second = (await order(customer, "App")).subscription.instanceId;
    // A first provisioning may take five minutes, which are over for who believes that it is ten minutes later.
    await withCore(house.parts, (ctx) => runJob(ctx, "instance:sweep", {}));
    await using worker = await startApp("worker", house.parts.env, withClock(minutes * minuteMs));
    expectItsClockIs(minutes * minuteMs, worker);
    let latestSeconds = 0;
    await until("the app is up", async () => {
      const [row] = await query(
        house,
        "select coalesce(max(extract(epoch from run_at - now())), 0)::int as ahead from graphile_worker._private_jobs where attempts = 0",
      );
      latestSeconds = Math.max(latestSeconds, Number(row?.["ahead"]));
      return isUp(await customer.api.instances.get.query({ instanceId: second })) ? true : null;
    });
    expect(latestSeconds).toBeLessThan(2 * 60);
    await stopAndStart(customer, second);
    expect(await operationsOf(house, customer)).toEqual(
      ["provision", "provision", "stop", "start"].map((kind) => `${kind} succeeded`),
    );
  },
  90_000,
);

test("T1 a server whose clock is an hour ahead gives and takes the same sessions, links, periods and deadlines as the others", async () => {
  await using house = await startHouse();
  const right = house.servers[0]!.url;
  await using ahead = await startApp(
    "server",
    { ...house.parts.env, TEST_CLOCKS: "false", STOP_DELAY_SECONDS: "0" },
    withClock(hourMs),
  );
  expectItsClockIs(hourMs, ahead);
  const wrong = ahead.started["url"]!;
  await using customer = await house.customer({ url: wrong });
  await using visitor = createClient(wrong, null);
  const { email, password } = customer;

  // A link that holds for an hour.
  await visitor.api.auth.requestPasswordReset.mutate({ email });
  const mail = await house.parts.mailHouse!.waitFor(
    ({ to, text }) => to.includes(email) && /reset\S*token=/.test(text),
  );
  await visitor.api.auth.resetPassword.mutate({
    token: /token=([\w.~-]+)/.exec(mail.text)![1]!,
    newPassword: password,
  });

  const sessions = [];
  for (const from of [right, wrong]) {
    await using door = createClient(from, null);
    sessions.push(await door.api.auth.logIn.mutate({ email, password }));
  }
  const ends = await query(house, "select expires_at::text as at from sessions order by expires_at desc limit 2");
  const [one, other] = ends.map((row) => new Date(String(row["at"])).getTime());
  expect(Math.abs(one! - other!)).toBeLessThan(closeMs);
  // Each is good at the other server.
  await using there = createClient(wrong, sessions[0]!.token);
  await using here = createClient(right, sessions[1]!.token);
  await there.api.auth.me.query();

  const { instanceId } = (await order(there, "App")).subscription;
  await reached(here, instanceId, isUp);
  const [ages] = await query(
    house,
    `select abs(extract(epoch from now() - starts_at)) * 1000 as period_ms,
      (select extract(epoch from deadline_at - now()) from operations) as deadline_seconds from billing_periods`,
  );
  expect(Number(ages!["period_ms"])).toBeLessThan(closeMs);
  expect(Number(ages!["deadline_seconds"])).toBeLessThan(hourMs / 1_000);
  expect(await operationsOf(house, here)).toEqual(["provision succeeded"]);
}, 90_000);

test("T2 when the clocks of server and worker jump back an hour, what is under way goes on, in order and without a storm of jobs", async () => {
  await using house = await startHouse({ servers: 0, workers: 0 });
  const env = { ...house.parts.env, STOP_DELAY_SECONDS: "0" };
  await using server = await startApp("server", env, withClock(0, -hourMs));
  await using worker = await startApp("worker", env, withClock(0, -hourMs));
  await using customer = await house.customer({ url: server.started["url"]! });
  const { instanceId } = (await order(customer, "App")).subscription;
  await reached(customer, instanceId, isUp);

  for (const { child } of [server, worker]) child.kill("SIGUSR2");
  await stopAndStart(customer, instanceId);
  // Ids grow with time, so this is also the order in which they were made.
  expect(await operationsOf(house, customer)).toEqual(
    ["provision", "stop", "start"].map((kind) => `${kind} succeeded`),
  );
  const metrics = await (await fetch(`${worker.started["internalUrl"]}/metrics`)).text();
  const counts = [...metrics.matchAll(/^sewa_job_duration_seconds_count\{[^}]*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
  const jobs = counts.reduce((sum, count) => sum + count, 0);
  expect({ jobs, isStorm: jobs > stormJobs }).toEqual({ jobs, isStorm: false });
}, 90_000);
