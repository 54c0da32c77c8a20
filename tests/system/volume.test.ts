import type { RouterOutputs } from "@sewa/api";
import { failOverdueOperations } from "@sewa/core";
import { withCore } from "@sewa/dev";
import { expect, test } from "vitest";
import { type Change, linesOf, offerStorage, type RentedApp, rentApp, storageStep } from "./change-house.ts";
import { toUuid } from "./faults/life.ts";
import { type House, isUp, reached, startHouse, until } from "./house.ts";
import { expectOneTruth, openCheckout, referenceOf } from "./payments/house.ts";

type Operation = RouterOutputs["operations"]["get"];

const more = (count: number) => ({ kind: "update", parameters: {}, addons: { "extra-storage": count } }) as const;

interface Claim {
  readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
  readonly status: { readonly capacity: { readonly storage: string } };
}

/** The app's volume, and the pod that uses it. */
function worldOf(house: House, { namespace }: RentedApp) {
  const own = (kind: string) =>
    house.parts.devcluster!.objects(kind).filter(({ metadata }) => metadata.namespace === namespace);
  const claims = own("PersistentVolumeClaim");
  expect(claims).toHaveLength(1);
  const { spec, status } = claims[0] as unknown as Claim;
  return {
    asked: spec.resources.requests.storage,
    has: status.capacity.storage,
    volume: claims[0]!.metadata.uid,
    pods: own("Pod").map(({ metadata }) => metadata.uid),
  };
}

/** The operator's storage can be made larger from now on. */
async function letStorageGrow(house: House): Promise<void> {
  const { url, kubeconfig } = house.parts.devcluster!;
  const token = /token: "?([^"\n]+)/.exec(kubeconfig)![1]!.trim();
  const answer = await fetch(`${url}/apis/storage.k8s.io/v1/storageclasses/local-path`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ allowVolumeExpansion: true }),
  });
  expect(answer.status).toBe(200);
}

/** A house that sells more storage in steps, and an app in it. */
async function givenStorage({ canGrow }: { readonly canGrow: boolean }) {
  await using opening = new AsyncDisposableStack();
  const house = opening.use(await startHouse());
  await offerStorage(house);
  if (canGrow) await letStorageGrow(house);
  const app = opening.use(await rentApp(house));
  const stack = opening.move();
  const { faults } = house.parts.devcluster!;
  return { house, app, faults, before: worldOf(house, app), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What a step costs for what is left of the period, to the millisecond, by arithmetic of its own. */
async function restOfPeriod({ client, subscriptionId }: RentedApp, { plannedAt }: Change, steps: number) {
  const subscription = await client.api.subscriptions.get.query({ subscriptionId });
  const [start, end] = [subscription.currentPeriodStart!.getTime(), subscription.currentPeriodEnd!.getTime()];
  const whole = storageStep.amountMinor * BigInt(steps);
  const [left, all] = [BigInt(end - plannedAt.getTime()), BigInt(end - start)];
  return (whole * left * 2n + all) / (all * 2n);
}

/** Approves it and pays what it costs; answers the invoice. */
async function buy(house: House, app: RentedApp, plan: Change) {
  const { invoiceId } = await app.approve(plan);
  const payment = await openCheckout(app.client, invoiceId!);
  house.parts.gateway.pay(referenceOf(payment), { type: "qris" });
  return until("it is paid", async () => {
    const invoice = await app.client.api.invoices.get.query({ invoiceId: invoiceId! });
    return invoice.status === "paid" ? invoice : null;
  });
}

/** The operation of a change, once it says what keeps it. */
function waiting({ client }: RentedApp, change: Change, reason: string): Promise<Operation> {
  return until(`it says ${reason}`, async () => {
    const { operationId } = await client.api.instances.getPlan.query({ changeId: change.id });
    if (operationId === null) return null;
    const operation = await client.api.operations.get.query({ operationId });
    return operation.reason === reason ? operation : null;
  });
}

const look = ({ client, instanceId }: RentedApp) => client.api.instances.get.query({ instanceId });

async function changeEvents({ client, instanceId }: RentedApp) {
  const { items } = await client.api.events.list.query({ instanceId, limit: 100 });
  return items.filter(({ type }) => /^(change|operation)[.](executed|failed)$/.test(type));
}

test(
  "one more step of storage makes the volume larger under the running app, costs the rest of the period to the second, and is there when the cluster says so",
  { timeout: 180_000 },
  async () => {
    await using given = await givenStorage({ canGrow: true });
    const { house, app, before, faults } = given;
    expect(before).toMatchObject({ asked: "1Gi", has: "1Gi" });

    for (const [steps, size] of [
      [1, "33Gi"],
      [2, "65Gi"],
    ] as const) {
      const had = worldOf(house, app);
      faults.stopGrowth("waiting");
      const plan = await app.plan(more(steps));
      expect(plan).toMatchObject({ status: "planned", due: { amountMinor: await restOfPeriod(app, plan, 1) } });
      expect(linesOf(plan)).toEqual(["changed PersistentVolumeClaim data", "changed ResourceQuota plan"]);
      expect(plan.effects).toMatchObject({ dataLost: [], warnings: [], room: { storageBytes: storageStep.bytes } });
      const invoice = await buy(house, app, plan);
      expect(invoice.total).toEqual(plan.due);

      // The disk is larger, and the app does not have it yet.
      const operation = await waiting(app, plan, "VOLUME_GROWING");
      expect(worldOf(house, app)).toEqual({ ...had, asked: size });
      expect(operation.status).toBe("running");
      expect(operation.steps.find(({ key }) => key === "volume")?.status).toBe("running");
      expect(await app.client.api.instances.getPlan.query({ changeId: plan.id })).toMatchObject({
        status: "executing",
      });
      expect(await look(app)).toMatchObject({ observedPhase: "running", isOpen: true });

      faults.clear();
      expect(await app.ended(plan.id)).toMatchObject({ status: "executed" });
      expect(worldOf(house, app)).toEqual({ ...before, asked: size, has: size });
      expect(await look(app)).toMatchObject({ observedPhase: "running", addons: { "extra-storage": steps } });
    }
    const { subscriptionId } = app;
    expect(await app.client.api.subscriptions.get.query({ subscriptionId })).toMatchObject({
      price: { amountMinor: 2n * storageStep.amountMinor },
    });
    expect((await changeEvents(app)).map(({ type }) => type)).toEqual(["change.executed", "change.executed"]);
    await expectOneTruth(house);

    for (const fewer of [1, 0]) {
      await expect(app.plan(more(fewer))).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT" } });
    }
    expect(worldOf(house, app)).toEqual({ ...before, asked: "65Gi", has: "65Gi" });
  },
);

test(
  "where the storage class cannot grow the step is refused before anything is asked for, and nothing has happened",
  { timeout: 120_000 },
  async () => {
    await using given = await givenStorage({ canGrow: false });
    const { house, app, before } = given;
    const plan = await app.plan(more(1));
    expect(plan).toMatchObject({ status: "refused", reason: "VOLUME_CANNOT_GROW", invoiceId: null });
    expect(plan.message).toContain("nothing is charged");
    await expect(app.approve(plan)).rejects.toMatchObject({ data: { appCode: "PLAN_STALE" } });
    expect(worldOf(house, app)).toEqual(before);
    expect(await look(app)).toMatchObject({ addons: {}, observedPhase: "running" });
    expect(house.parts.gateway.payments()).toEqual([]);
  },
);

test(
  "storage that the cluster says it can give and does not is paid back, the app runs on with what it has, and its customer reads why",
  { timeout: 180_000 },
  async () => {
    await using given = await givenStorage({ canGrow: true });
    const { house, app, before, faults } = given;
    faults.stopGrowth("failed");
    const plan = await app.plan(more(1));
    await buy(house, app, plan);
    const operation = await waiting(app, plan, "VOLUME_NOT_GROWN");
    expect(operation.message).toContain("could not be made larger");
    expect(await look(app)).toMatchObject({ observedPhase: "running", isOpen: true });

    // Its time is over.
    await withCore(house.parts, async (ctx) => {
      await ctx.db.drizzle.execute(
        `update operations set deadline_at = now() - interval '1 second' where id = '${toUuid("operation", operation.id)}'`,
      );
      await failOverdueOperations(ctx);
    });
    expect(await app.ended(plan.id)).toMatchObject({ status: "failed", reason: "OPERATION_FAILED" });
    await until("the money is back", () =>
      house.parts.gateway.refunds().some(({ state }) => state === "succeeded") ? true : null,
    );
    const settled = async () => {
      const { items } = await app.client.api.operations.list.query({ instanceId: app.instanceId });
      return items.map(({ kind, status }) => `${kind} ${status}`);
    };
    await until("it is put back", async () => ((await settled())[0] === "update succeeded" ? true : null));
    expect(await settled()).toEqual(["update succeeded", "update failed", "provision succeeded"]);
    expect(worldOf(house, app)).toMatchObject({ has: "1Gi", volume: before.volume, pods: before.pods });
    expect(await look(app)).toMatchObject({ observedPhase: "running", isOpen: true, addons: {} });
    const { subscriptionId } = app;
    expect(await app.client.api.subscriptions.get.query({ subscriptionId })).toMatchObject({
      price: { amountMinor: 0n },
    });
    const told = (await changeEvents(app)).map(({ type, data }) => `${type} ${String(data["reason"])}`);
    expect(told.toSorted()).toEqual(["change.failed OPERATION_FAILED", "operation.failed VOLUME_NOT_GROWN"]);
    await until("the books have it", async () => {
      const [row] = await withCore(house.parts, (ctx) =>
        ctx.db.drizzle.execute<{ left: number }>("select count(*)::int as left from refunds where status = 'pending'"),
      );
      return row?.left === 0 ? true : null;
    });
    await expectOneTruth(house);

    // What grows later is kept for nothing, and is not sold.
    faults.clear();
    await until("it has grown", () => (worldOf(house, app).has === "33Gi" ? true : null));
    await reached(app.client, app.instanceId, isUp);
    await expect(app.plan(more(1))).rejects.toMatchObject({ data: { appCode: "INVALID_TRANSITION" } });
    expect((await app.plan(more(2))).due.amountMinor).toBeGreaterThan(0n);
    expect(worldOf(house, app)).toMatchObject({ volume: before.volume, pods: before.pods });
  },
);
