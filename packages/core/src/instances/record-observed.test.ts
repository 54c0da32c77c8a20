import { connectAsSuperuser } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import { listInvoices } from "../billing/index.ts";
import { cancelNow, recordPayment } from "../subscriptions/index.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { createSecrets, openSecrets } from "./instance-secrets.ts";
import {
  createInstanceStore,
  getInstance,
  holdInstance,
  liftHold,
  restartInstance,
  revealCredentials,
  stopInstance,
  sweepInstances,
} from "./index.ts";

const resyncSeconds = 240;

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
    subscriptionId: subscription.subscription.id,
    view: () => getInstance(ctx, instanceId),
    provision: (instead?: Parameters<typeof provisionOnce>[2]) => provisionOnce(core.ctx, instanceId, instead),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

test("Q3 a lease is held by one, and who lost it to a later holder writes nothing", async () => {
  await using app = await given();
  const store = createInstanceStore(app.core.ctx, "first");
  await using lease = await store.lease(app.instanceId);
  expect(lease).not.toBeNull();
  expect(await createInstanceStore(app.core.ctx, "second").lease(app.instanceId)).toBeNull();

  await app.core.database.drizzle.execute("update instance_leases set leased_until = now() - interval '1 second'");
  const second = await createInstanceStore(app.core.ctx, "second").lease(app.instanceId);
  expect(second).toMatchObject({ epoch: lease!.epoch + 1 });

  expect(await store.load(lease!)).toBeNull();
  expect(await store.recordObserved(lease!, 2, observations.running)).toMatchObject({ settled: false });
  expect((await app.view()).instance.observedPhase).toBe("absent");
  await second![Symbol.asyncDispose]();
});

test("a lease is given back although the database breaks off the first tries", async () => {
  await using app = await given();
  const lease = await createInstanceStore(app.core.ctx, "first").lease(app.instanceId);
  await using owner = connectAsSuperuser(app.core.url);
  for (const statement of [
    "create sequence tries",
    "grant usage on sequence tries to sewa_worker",
    `create function break_off() returns trigger language plpgsql as $$ begin
      if nextval('tries') <= 2 then raise exception 'terminating connection' using errcode = '57P01'; end if; return new; end $$`,
    "create trigger break_off before update on instance_leases for each row execute function break_off()",
  ])
    await owner.drizzle.execute(statement);
  await lease![Symbol.asyncDispose]();
  await using second = await createInstanceStore(app.core.ctx, "second").lease(app.instanceId);
  expect(second).toMatchObject({ epoch: lease!.epoch + 1 });
});

test("K32 what is to be made bears the id of the house whose database this is, and only its own instances are known", async () => {
  await using app = await given();
  const store = createInstanceStore(app.core.ctx, "first");
  expect([await store.exists(app.instanceId), await store.exists(app.ctx.ids.next())]).toEqual([true, false]);
  await using lease = await store.lease(app.instanceId);
  const [house] = await app.core.database.drizzle.execute("select id from house");
  expect((await store.load(lease!))?.spec.houseId).toBe(house?.["id"]);
  for (const change of ["update house set id = gen_random_uuid()", "delete from house"])
    await expect(app.core.database.drizzle.execute(change)).rejects.toThrow("Failed query");
});

test("a run that began on an older generation settles nothing", async () => {
  await using app = await given();
  const store = createInstanceStore(app.core.ctx, "slow");
  {
    await using lease = await store.lease(app.instanceId);
    const loaded = await store.load(lease!);
    await cancelNow(app.ctx, {
      subscriptionId: app.subscriptionId,
      confirmName: "Status page",
      idempotencyKey: "cancel-1",
    });
    expect(await store.recordObserved(lease!, loaded!.spec.generation, observations.running)).toMatchObject({
      settled: false,
    });
  }
  const { instance, operation } = await app.view();
  expect(instance).toMatchObject({ desiredPhase: "absent", readyAt: null, isSettled: false });
  expect(operation).toMatchObject({ kind: "deprovision", status: "queued" });
});

test("a look that failed leaves unknown, and never the old value", async () => {
  await using app = await given();
  await app.provision();
  await app.provision({
    ...observations.running,
    existence: "unknown",
    phase: "unknown",
    reason: "CLUSTER_UNREACHABLE",
    pods: [],
    steps: {},
  });
  const { instance, message } = await app.view();
  expect(instance).toMatchObject({ existence: "unknown", observedPhase: "unknown", isSettled: false });
  expect(message).toBe("The cluster does not answer at the moment.");
});

test("a look at an app whose order is not paid yet takes nothing from it: paid, it comes up", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx, { plan: "small" });
  await provisionOnce(core.ctx, subscription.instanceId);
  expect((await getInstance(ctx, subscription.instanceId)).instance).toMatchObject({ removedAt: null });
  const { id: invoiceId, totalMinor: amountMinor, currency } = (await listInvoices(ctx, {})).items[0]!.invoice;
  const payment = { invoiceId, amountMinor, currency, reference: "bank 1", idempotencyKey: "payment-01" };
  await recordPayment(core.ctx.forOrganization(organizationId), payment);
  await provisionOnce(core.ctx, subscription.instanceId);
  expect((await getInstance(ctx, subscription.instanceId)).instance).toMatchObject({
    desiredPhase: "running",
    observedPhase: "running",
    isSettled: true,
  });
});

test("the same look twice raises no revision and wakes nobody", async () => {
  await using app = await given();
  await app.provision();
  const { instance } = await app.view();
  await app.provision();
  expect((await app.view()).instance.revision).toBe(instance.revision);
});

test("K30 of an app that goes to and fro four turns are told in five minutes, and how it ended is told", async () => {
  await using app = await given();
  const degraded = { ...observations.running, phase: "degraded", reason: "NOT_READY" } as const;
  const told = async (): Promise<unknown[]> =>
    (await listEvents(app.ctx, {})).items
      .filter(({ type }) => type === "instance.phaseChanged")
      .map(({ data }) => `${String(data["from"])} ${String(data["to"])}`);
  const minutesLater = async (count: number): Promise<void> => {
    await using owner = connectAsSuperuser(app.core.url);
    // Which nobody may, not even who owns the table.
    await owner.drizzle.execute("set session_replication_role = replica");
    await owner.drizzle.execute(`update events set recorded_at = recorded_at - interval '${count} minutes'`);
  };
  await app.provision();
  await minutesLater(10);
  for (let turn = 0; turn < 20; turn += 1) await app.provision(turn % 2 === 0 ? degraded : observations.running);
  const turns = ["degraded running", "running degraded", "degraded running", "running degraded", "absent running"];
  expect(await told()).toEqual(turns);
  // Its customer sees each turn live all the same.
  await app.provision(degraded);
  expect((await app.view()).instance.observedPhase).toBe("degraded");
  expect(await told()).toEqual(turns);
  await minutesLater(5);
  await app.provision(degraded);
  expect(await told()).toEqual(["running degraded", ...turns]);
  await app.provision(degraded);
  expect(await told()).toHaveLength(turns.length + 1);
  expect(app.core.observed.filter((type) => type === "instance.ready")).toHaveLength(1);
});

test("steps go forward only and end with the operation", async () => {
  await using app = await given();
  await app.provision(observations.crashing);
  const during = (await app.view()).operation!;
  expect(during).toMatchObject({ status: "running", attempt: 1, reason: "CRASH_LOOP" });
  await app.provision({ ...observations.crashing, steps: {} });
  const later = (await app.view()).operation!;
  expect(later.steps).toEqual(during.steps);
  await app.provision();
  const after = (await app.view()).operation!;
  expect(after.status).toBe("succeeded");
  expect(after.steps.every(({ status }) => status === "done")).toBe(true);
});

test("B82 credentials are there once the app is ready, each look is audited, and the audit holds no value", async () => {
  await using app = await given();
  await expect(revealCredentials(app.ctx, app.instanceId)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  await app.provision();
  const shown = await revealCredentials(app.ctx, app.instanceId);
  expect(shown.credentials).toMatchObject([{ name: "adminUser", value: "admin" }, { name: "adminPassword" }]);
  const password = shown.credentials[1]!.value;
  expect(password).toHaveLength(24);
  const dump = await app.core.database.drizzle.execute(
    "select string_agg(a.*::text, '') || (select string_agg(e.*::text, '') from events e) || (select string_agg(s.*::text, '') from instance_secrets s) as text from audit_entries a",
  );
  expect(String(dump[0]!["text"])).toContain("instance.credentialsRevealed");
  expect(String(dump[0]!["text"])).not.toContain(password);
});

test("an operator's hold stops the app against its customer's will, and lifting it brings back what was asked for", async () => {
  await using app = await given();
  await app.provision();
  const operator = app.ctx.as({ type: "operator", userId: app.ctx.ids.next() });
  await holdInstance(operator, {
    instanceId: app.instanceId,
    kind: "abuse",
    reason: "Sends spam.",
    idempotencyKey: "hold-it-now",
  });
  await app.provision();
  expect((await app.view()).instance).toMatchObject({ desiredPhase: "stopped", requestedPhase: "running" });
  await expect(
    restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart1" }),
  ).rejects.toMatchObject({
    code: "INVALID_TRANSITION",
  });
  await liftHold(operator, {
    instanceId: app.instanceId,
    kind: "abuse",
    reason: "Cleaned up.",
    idempotencyKey: "lift-it-now",
  });
  expect((await app.view()).instance).toMatchObject({ desiredPhase: "running" });
});

test("the sweep finds an unsettled instance although its job was lost, and leaves alone what somebody works on", async () => {
  await using app = await given();
  await app.core.database.drizzle.execute("delete from graphile_worker._private_jobs");
  expect(await sweepInstances(app.core.ctx, { resyncSeconds })).toEqual({ failed: 0, readded: 1, resynced: 0 });
  await using lease = await createInstanceStore(app.core.ctx, "busy").lease(app.instanceId);
  expect(lease).not.toBeNull();
  expect(await sweepInstances(app.core.ctx, { resyncSeconds })).toEqual({ failed: 0, readded: 0, resynced: 0 });
});

test("what is as wanted and was not looked at for long is looked at again, and what is removed is left alone", async () => {
  await using app = await given();
  const sweep = () => sweepInstances(app.core.ctx, { resyncSeconds });
  const forgetJobs = () => app.core.database.drizzle.execute("delete from graphile_worker._private_jobs");
  await app.provision();
  await forgetJobs();
  expect(await sweep()).toEqual({ failed: 0, readded: 0, resynced: 0 });
  app.core.clock.set(new Date(app.core.clock.now().getTime() + (resyncSeconds + 1) * 1_000));
  expect(await sweep()).toEqual({ failed: 0, readded: 0, resynced: 1 });
  expect(await sweep()).toEqual({ failed: 0, readded: 0, resynced: 0 });

  await cancelNow(app.ctx, {
    subscriptionId: app.subscriptionId,
    confirmName: "Status page",
    idempotencyKey: "cancel-1",
  });
  await app.provision();
  await forgetJobs();
  app.core.clock.set(new Date(app.core.clock.now().getTime() + (resyncSeconds + 1) * 1_000));
  expect(await sweep()).toEqual({ failed: 0, readded: 0, resynced: 0 });
});

test("a foreign, an invented and a removed organization's id are the same to a customer", async () => {
  await using app = await given();
  const stranger = await givenCustomer(app.core.ctx);
  const answers = await Promise.allSettled([
    getInstance(stranger.ctx, app.instanceId),
    getInstance(stranger.ctx, app.ctx.ids.next()),
  ]);
  expect(answers.map((answer) => (answer as PromiseRejectedResult).reason.message)).toEqual([
    "No such instance.",
    "No such instance.",
  ]);
  expect((await listEvents(stranger.ctx, {})).items).toEqual([]);
});

test("B83 stopping twice is one operation, and what has failed for good is never announced as ready", async () => {
  await using app = await given();
  await app.core.database.drizzle.execute("update operations set deadline_at = '2026-01-01'");
  expect((await sweepInstances(app.core.ctx, { resyncSeconds })).failed).toBe(1);
  await app.provision();
  expect((await app.view()).instance).toMatchObject({ readyAt: null });
  expect(app.core.observed).not.toContain("instance.ready");

  await using other = await given();
  await other.provision();
  const stop = { instanceId: other.instanceId };
  const first = await stopInstance(other.ctx, { ...stop, idempotencyKey: "stop-001" });
  const second = await stopInstance(other.ctx, { ...stop, idempotencyKey: "stop-002" });
  expect(second.id).toBe(first.id);
});

test("a removed instance stays as it was told, however often it is looked at", async () => {
  await using app = await given();
  await app.provision();
  await cancelNow(app.ctx, {
    subscriptionId: app.subscriptionId,
    confirmName: "Status page",
    idempotencyKey: "cancel-1",
  });
  await app.provision();
  const removed = (await app.view()).instance;
  app.core.clock.set(new Date("2026-03-05T00:00:00Z"));
  await app.provision();
  const later = (await app.view()).instance;
  expect([later.removedAt, later.revision]).toEqual([removed.removedAt, removed.revision]);
});

test("a generated password has a digit, a small and a capital letter, however many are drawn", async () => {
  await using app = await given();
  await app.ctx.transaction(async (tx) => {
    const declarations = Array.from({ length: 300 }, (_, index) => ({
      name: `secret${index}`,
      label: "Secret",
      generate: { type: "random", length: 8, charset: "password" } as const,
      reveal: "never" as const,
    }));
    await tx.sql.execute("delete from instance_secrets");
    await createSecrets(tx, app.instanceId, declarations);
    const drawn = Object.values(await openSecrets(tx, app.instanceId));
    expect(drawn.filter((text) => /[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text))).toHaveLength(300);
  });
});
