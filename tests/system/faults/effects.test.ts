import { globSync, readFileSync } from "node:fs";
import { testCards } from "@sewa/devgateway";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { bodies, handsOn, houseIdOf, labelled, operatorOf } from "../inventory-world.ts";
import { ended, expectOneTruth, openCheckout, orderDear, referenceOf } from "../payments/house.ts";
import { type Crew, startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";

/** Every change of the world outside that the code names, and the test that kills a worker before and after it. */
const killedAt: Readonly<Record<string, string>> = {
  "apply:${kind}": "crash.test.ts",
  "delete:Namespace": "crash.test.ts",
  "send:Mail": "crash.test.ts",
  "delete:${kind}": "effects.test.ts",
  "patch:Node": "effects.test.ts",
  "begin:Payment": "effects.test.ts",
  "cancel:Payment": "effects.test.ts",
  "begin:Refund": "effects.test.ts",
};
const moments = ["before", "after"] as const;

let house: House;
let crew: Crew;
beforeAll(async () => {
  house = await startHouse({ workers: 0 });
  crew = await startCrew(house.parts.env);
}, 90_000);
afterAll(async () => {
  await crew?.[Symbol.asyncDispose]();
  await house?.[Symbol.asyncDispose]();
});

test("each change of the world outside that the code names is one at which a test kills a worker", () => {
  const sources = globSync("{apps,packages}/**/*.ts", { exclude: ["**/node_modules/**", "**/*.test.ts"] });
  const named = sources.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\beffect\(\s*["'`]([^"'`]+)["'`]/g)].map(([, name = ""]) => name),
  );
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(killedAt).toSorted());
});

test.each(moments)("K1 Q1 killed %s a machine is cordoned, the next worker sees that it is, once", async (when) => {
  await using operator = await operatorOf(house);
  const { name } = (
    await until("machines are known", async () => {
      const { items } = await operator.api.admin.nodes.list.query({});
      return items.length > 0 ? items : null;
    })
  )[0]!;
  const deaths = crew.deaths();
  await crew.arm({ name: "patch:Node", nth: 1, when });
  await operator.api.admin.nodes.cordon.mutate({ name, reason: "New disk." });
  const isCordoned = (): boolean => {
    const node = house.parts.devcluster!.objects("Node").find(({ metadata }) => metadata.name === name);
    return (node as { readonly spec?: { readonly unschedulable?: boolean } } | undefined)?.spec?.unschedulable === true;
  };
  await until("it was killed, and the machine is cordoned", () => (crew.deaths() > deaths && isCordoned()) || null);
  await crew.settled();
  await operator.api.admin.nodes.uncordon.mutate({ name, reason: "Done." });
  await until("it takes pods again", () => !isCordoned() || null);
  expect(crew.deaths()).toBe(deaths + 1);
});

test.each(moments)(
  "K1 Q1 killed %s what is left of a former shape is taken away, the next worker takes it away, and nothing else",
  { timeout: 120_000 },
  async (when) => {
    await using client = await house.customer();
    const { subscription } = await order(client);
    const { instanceId } = subscription;
    await reached(client, instanceId, isUp);
    const { organization } = await client.api.auth.me.query();
    const ids = {
      houseId: await houseIdOf(house),
      organizationId: toUuid("organization", organization.id),
      subscriptionId: toUuid("subscription", subscription.id),
      instanceId: toUuid("instance", instanceId),
    };
    const namespace = `sewa-${ids.instanceId}`;
    const namesOf = (kind: string): readonly string[] =>
      house.parts
        .devcluster!.objects(kind)
        .filter(({ metadata }) => metadata.namespace === namespace)
        .map(({ metadata }) => metadata.name);
    const before = { ConfigMap: namesOf("ConfigMap"), ServiceAccount: namesOf("ServiceAccount") };
    const hands = handsOn(house.parts.devcluster!);
    for (const kind of Object.keys(before))
      await hands.create(kind, namespace, "former", { ...bodies[kind], ...labelled(ids) });
    const deaths = crew.deaths();
    await crew.arm({ name: "delete:ConfigMap", nth: 1, when });
    await client.api.instances.restart.mutate({ instanceId, idempotencyKey: `restart-${crypto.randomUUID()}` });
    await until(
      "it was killed, and the rest is gone",
      () => (crew.deaths() > deaths && namesOf("ConfigMap").length === before.ConfigMap.length) || null,
    );
    await reached(client, instanceId, (instance) => isUp(instance) && instance.operation?.status === "succeeded");
    expect(namesOf("ConfigMap")).toEqual(before.ConfigMap);
    expect(namesOf("ServiceAccount")).toEqual([...before.ServiceAccount, "former"].toSorted());
  },
);

test.each(moments)(
  "K1 Q1 killed %s a payment is begun, cancelled and given back, the next worker does each once, and no money is lost or doubled",
  { timeout: 120_000 },
  async (when) => {
    await using client = await house.customer();
    await using operator = await operatorOf(house);
    const { gateway } = house.parts;
    const before = gateway.payments().length;
    const { instanceId, invoiceId } = await orderDear(client);
    let deaths = crew.deaths();
    const isStruck = async (): Promise<void> => {
      deaths += 1;
      await until("it was killed", () => crew.deaths() === deaths || null);
      await crew.settled();
    };

    await crew.arm({ name: "begin:Payment", nth: 1, when });
    const given = await openCheckout(client, invoiceId);
    await isStruck();
    await crew.arm({ name: "cancel:Payment", nth: 1, when });
    await client.api.payments.cancel.mutate({ paymentId: given.id, idempotencyKey: `cancel-${crypto.randomUUID()}` });
    expect(await ended(client, given)).toMatchObject({ status: "cancelled" });
    await isStruck();

    const taken = await openCheckout(client, invoiceId);
    gateway.pay(referenceOf(taken), { type: "card", number: testCards.succeeds.number });
    await reached(client, instanceId, isUp);
    expect(
      gateway
        .payments()
        .slice(before)
        .map(({ state }) => state),
    ).toEqual(["cancelled", "succeeded"]);

    const { organization } = await client.api.auth.me.query();
    const { payments, total } = await client.api.invoices.get.query({ invoiceId });
    await crew.arm({ name: "begin:Refund", nth: 1, when });
    await operator.api.admin.transactions.refund.mutate({
      organizationId: organization.id,
      paymentId: payments[0]!.id,
      amount: total,
      target: "origin",
      reason: "Down for a day.",
      idempotencyKey: `refund-${crypto.randomUUID()}`,
    });
    await isStruck();
    const returns = () => gateway.refunds().filter((refund) => refund.payment_reference === referenceOf(taken));
    await until("both sides say that it was given back", () =>
      returns().length === 0
        ? null
        : expectOneTruth(house).then(
            () => true,
            () => null,
          ),
    );
    expect(returns().map(({ state, amount }) => ({ state, amount }))).toEqual([
      { state: "succeeded", amount: (total.amountMinor * 100n).toString() },
    ]);
  },
);
