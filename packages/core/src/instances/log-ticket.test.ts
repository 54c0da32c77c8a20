import { expect, test } from "vitest";
import { createKeyring } from "../keyring.ts";
import { beatPool, endPool } from "../jobs/index.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { createLogTicket, type LogTicketInput, verifyLogTicket } from "./index.ts";
import { choosePod } from "./log-ticket.ts";

async function given() {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx);
  const { instanceId } = subscription;
  return {
    core,
    ctx,
    instanceId,
    beat: (poolId: string, internalUrl: string | null = `http://${poolId}:3002`) =>
      beatPool(core.ctx, { poolId, host: poolId, version: "1", internalUrl }),
    ticket: (more: Partial<LogTicketInput> = {}, from = ctx) =>
      createLogTicket(from, { instanceId, tailLines: 10, ...more }),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

test("a ticket lets workers that live read one pod for a minute, and says nothing else", async () => {
  await using app = await given();
  await provisionOnce(app.core.ctx, app.instanceId);
  for (const poolId of ["dead", "ended", "mute", "one", "two"]) {
    await app.beat(poolId, poolId === "mute" ? null : `http://${poolId}:3002`);
  }
  await app.core.database.drizzle.execute(
    "update worker_pools set beat_at = now() - interval '61 seconds' where pool_id = 'dead'",
  );
  await endPool(app.core.ctx, "ended");

  const { ticket, urls, pod } = await app.ticket({ isFollowed: true, since: new Date(1_000) });
  expect(urls.toSorted()).toEqual(["http://one:3002", "http://two:3002"]);
  expect(pod).toBe("app-1");
  expect(verifyLogTicket(app.core.ctx, ticket)).toEqual({
    instanceId: app.instanceId,
    pod: "app-1",
    container: "app",
    isPrevious: false,
    isFollowed: true,
    tailLines: 10,
    since: "1970-01-01T00:00:01.000Z",
    expiresAt: "2026-03-02T03:01:00.000Z",
  });
  app.core.clock.set(new Date("2026-03-02T03:00:59.999Z"));
  expect(verifyLogTicket(app.core.ctx, ticket)).not.toBeNull();
  app.core.clock.set(new Date("2026-03-02T03:01:00.000Z"));
  expect(verifyLogTicket(app.core.ctx, ticket)).toBeNull();
});

test("a ticket that was changed, cut, made up or signed by somebody else is none", async () => {
  await using app = await given();
  await provisionOnce(app.core.ctx, app.instanceId);
  await app.beat("one");
  const { ticket } = await app.ticket();
  const { ctx } = app.core;
  const [body = "", signature = ""] = ticket.split(".");
  const other = Buffer.from(Buffer.from(body, "base64url").toString().replace("app-1", "app-2")).toString("base64url");
  const stranger = createKeyring([{ id: "test", key: Buffer.alloc(32, 8) }]);
  const forged = [
    "",
    ".",
    "x",
    body,
    `${body}.`,
    `${other}.${signature}`,
    `${ticket}.x`,
    `${body}.${ctx.keyring.sign(body)}`,
    `${body}.${stranger.sign(`log-ticket|${body}`)}`,
    // Signed by us, for something else or by another version.
    `bm90IGpzb24.${"x".repeat(43)}`,
    `e30.${ctx.keyring.sign("log-ticket|e30")}`,
  ];
  expect(forged.filter((text) => verifyLogTicket(ctx, text) !== null)).toEqual([]);
});

test("strangers, foreign pods and names that lead elsewhere are NOT_FOUND in the same words", async () => {
  await using app = await given();
  await provisionOnce(app.core.ctx, app.instanceId);
  await app.beat("one");
  const stranger = await givenCustomer(app.core.ctx);
  await expect(app.ticket({}, stranger.ctx)).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such instance." });
  for (const pod of ["app-2", "../app-1", ""]) {
    await expect(app.ticket({ pod })).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such pod." });
  }
  for (const container of ["../../x", "", "a b", "A"]) {
    await expect(app.ticket({ container })).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
  const operator = app.ctx.as({ type: "operator", userId: stranger.userId });
  await expect(app.ticket({}, operator)).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("without a worker that lives, or without pods, the refusal says so and when to try again", async () => {
  await using app = await given();
  await app.beat("one");
  await expect(app.ticket()).rejects.toMatchObject({ code: "LOGS_UNAVAILABLE", retryAfterSeconds: 5 });
  await provisionOnce(app.core.ctx, app.instanceId);
  await endPool(app.core.ctx, "one");
  await expect(app.ticket()).rejects.toMatchObject({ code: "LOGS_UNAVAILABLE", retryAfterSeconds: 5 });
});

test("the exposed part's pod that serves is chosen, else the one that was started last", () => {
  const [pod] = observations.running.pods;
  const old = { ...pod!, name: "old", ready: true, startedAt: "2026-03-02T03:00:00Z" };
  const next = { ...pod!, name: "next", ready: false, startedAt: "2026-03-02T03:05:00Z" };
  const pending = { ...next, name: "pending", startedAt: null };
  const database = { ...next, name: "db", workload: "db", ready: true };
  expect(choosePod([database, pending, next, old], "app")?.name).toBe("old");
  expect(choosePod([database, pending, { ...old, ready: false }, next], "app")?.name).toBe("next");
  expect(choosePod([pending, database], "app")?.name).toBe("pending");
  expect(choosePod([database], "app")?.name).toBe("db");
  expect(choosePod([], "app")).toBeNull();
});
