import { instances, notifications } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { checkBooks } from "../books/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { getInstance, holdInstance, liftHold } from "../instances/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import {
  getSubscription,
  reconcileSubscription,
  recordPayment,
  removeByForce,
  renewSubscription,
  undoCancel,
} from "./index.ts";

async function given(plan: "free" | "small") {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx, { plan });
  const { instanceId } = subscription;
  const subscriptionId = subscription.subscription.id;
  const house = core.ctx.forOrganization(ctx.organizationId ?? "");
  let keys = 0;
  const key = (): { readonly idempotencyKey: string } => ({ idempotencyKey: `by-force-${(keys += 1)}` });
  const read = () => getSubscription(ctx, subscriptionId);
  return {
    core,
    ctx,
    house,
    instanceId,
    subscriptionId,
    key,
    read,
    provision: () => provisionOnce(core.ctx, instanceId),
    remove: (confirmName: string | null = null) =>
      removeByForce(house, { instanceId, reason: "It sends spam.", confirmName, ...key() }),
    renew: () => renewSubscription(ctx, { subscriptionId, ...key() }),
    async pay() {
      const { nextInvoice } = await read();
      const { id: invoiceId, totalMinor: amountMinor, currency } = nextInvoice!;
      await recordPayment(house, { invoiceId, amountMinor, currency, reference: invoiceId, ...key() });
    },
    async after(days: number) {
      core.clock.set(addMs(core.clock.now(), days * dayMs));
      await reconcileSubscription(core.ctx, subscriptionId);
      await provisionOnce(core.ctx, instanceId);
      await reconcileSubscription(core.ctx, subscriptionId);
      return (await read()).subscription.status;
    },
    async [Symbol.asyncDispose]() {
      try {
        expect(await checkBooks(core.ctx)).toEqual([]);
      } finally {
        await core[Symbol.asyncDispose]();
      }
    },
  };
}

test("what an operator removes stops now, is renewed by nobody, and is deleted with its data after grace", async () => {
  await using app = await given("free");
  await app.provision();
  await app.remove();
  await app.provision();
  expect((await getInstance(app.ctx, app.instanceId)).instance).toMatchObject({ observedPhase: "stopped" });
  const refused = { code: "INVALID_TRANSITION" };
  await expect(app.renew()).rejects.toMatchObject(refused);
  const undo = { subscriptionId: app.subscriptionId, ...app.key() };
  await expect(undoCancel(app.ctx, undo)).rejects.toMatchObject({ ...refused, message: /operator/ });
  expect(await app.after(31)).toBe("expired");
  await expect(app.renew()).rejects.toMatchObject({ ...refused, message: /operator/ });
  expect(await app.after(10)).toBe("expired");
  expect(await app.after(25)).toBe("cancelled");
  const [instance] = await app.core.database.drizzle.select().from(instances);
  expect(instance).toMatchObject({ observedPhase: "absent" });
  const mails = await app.core.database.drizzle.select({ kind: notifications.kind }).from(notifications);
  expect(mails.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["app_held", "app_expired", "app_deleted"]));
});

test("released in time it is the customer's again, who renews it and finds it running", async () => {
  await using app = await given("free");
  await app.provision();
  await app.remove();
  expect(await app.after(31)).toBe("expired");
  await liftHold(app.house, {
    instanceId: app.instanceId,
    kind: "operator",
    reason: "They cleaned it up.",
    ...app.key(),
  });
  await app.renew();
  await app.provision();
  expect((await app.read()).subscription).toMatchObject({ status: "active", cancelAtPeriodEnd: false });
  expect((await getInstance(app.ctx, app.instanceId)).instance).toMatchObject({ observedPhase: "running" });
});

test("an open renewal is not asked for any more, and no period follows the paid one", async () => {
  await using app = await given("small");
  await app.pay();
  await app.provision();
  await app.after(25);
  expect((await app.read()).nextInvoice).toMatchObject({ status: "open" });
  await app.remove();
  expect((await app.read()).nextInvoice).toBeNull();
  expect(await app.after(7)).toBe("expired");
  expect((await app.read()).nextInvoice).toBeNull();
});

test("a period that was paid ahead runs out as well, and none follows it", async () => {
  await using app = await given("small");
  await app.pay();
  await app.provision();
  await app.after(25);
  await app.pay();
  await app.remove();
  expect(await app.after(7)).toBe("active");
  expect(await app.after(31)).toBe("expired");
});

test("a held app is charged and renewed as ever, and stays stopped through it", async () => {
  await using app = await given("small");
  await app.pay();
  await app.provision();
  await holdInstance(app.house, { instanceId: app.instanceId, kind: "abuse", reason: "It sends spam.", ...app.key() });
  await app.after(25);
  await app.pay();
  expect(await app.after(7)).toBe("active");
  expect((await getInstance(app.ctx, app.instanceId)).instance).toMatchObject({
    desiredPhase: "stopped",
    requestedPhase: "running",
    observedPhase: "stopped",
  });
});

test("what is not paid has no data to keep, and its name typed it ends with the order", async () => {
  await using app = await given("small");
  await expect(app.remove()).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  await expect(app.remove("Another")).rejects.toMatchObject({ code: "NAME_MISMATCH" });
  const { name } = (await getInstance(app.ctx, app.instanceId)).instance;
  await app.remove(name);
  expect((await app.read()).subscription).toMatchObject({ status: "cancelled", cancelReason: "operator" });
  await expect(app.remove(name)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
});
