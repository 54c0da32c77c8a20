import type { AppRouter } from "@sewa/api";
import { fromPublicId } from "@sewa/core";
import { withCore } from "@sewa/dev";
import { createTRPCClient, httpBatchLink, type TRPCClient } from "@trpc/client";
import superjson from "superjson";
import { expect, test } from "vitest";
import { type Customer, type House, isUp, order, reached, startHouse, until } from "../house.ts";

type LogLine = Readonly<Record<string, unknown>>;

/** The customer's client, whose every call goes under one id. */
function under(requestId: string, house: House, { token }: Customer): TRPCClient<AppRouter> {
  const headers = { authorization: `Bearer ${token}`, "x-request-id": requestId };
  const url = `${house.servers[0]!.url}/trpc`;
  return createTRPCClient<AppRouter>({ links: [httpBatchLink({ url, transformer: superjson, headers })] });
}

const rows = (house: House, query: string): Promise<readonly Record<string, unknown>[]> =>
  withCore(house.parts, (ctx) => ctx.db.drizzle.execute(query));

test(
  "one id leads from the request through operation, audit, job and log to the objects in the cluster, and restarts nothing",
  { timeout: 120_000 },
  async () => {
    const lines: LogLine[] = [];
    await using house = await startHouse({ onLogLine: (line) => lines.push(JSON.parse(line) as LogLine) });
    await using customer = await house.customer();
    const orderId = "gateway-7.order_0001";
    const api = under(orderId, house, customer);
    const { subscription } = await order({ ...customer, api });
    const { instanceId } = subscription;
    await reached(customer, instanceId, isUp);
    const uuid = fromPublicId("instance", instanceId)!;

    expect(await rows(house, `select kind, request_id from operations where instance_id = '${uuid}'`)).toEqual([
      { kind: "provision", request_id: orderId },
    ]);
    const audit = await rows(house, `select action, actor from audit_entries where request_id = '${orderId}'`);
    expect(audit.map(({ action }) => action)).toContain("order.placed");
    expect(await rows(house, "select count(*)::int as strange from operations where request_id is null")).toEqual([
      { strange: 0 },
    ]);

    const told = (process: string, event: string): readonly LogLine[] =>
      lines.filter((line) => line["process"] === process && line["event"] === event);
    expect(told("server", "order.placed")).toMatchObject([{ requestId: orderId }]);
    for (const event of ["instance.ready", "operation.succeeded"]) {
      expect(told("worker", event)).toMatchObject([{ requestId: orderId, task: "instance:reconcile", attempt: 1 }]);
    }
    const ofInstance = lines.filter((line) => line["process"] === "worker" && line["instanceId"] === uuid);
    expect(ofInstance.filter(({ requestId }) => requestId !== orderId)).toEqual([]);

    const labelled = (requestId: string): readonly string[] =>
      house.parts
        .devcluster!.objects()
        .filter(({ metadata }) => metadata.labels?.["sewa.dev/request-id"] === requestId)
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
        .toSorted();
    expect(labelled(orderId)).toEqual([expect.stringMatching(/^Deployment\//), `Namespace/sewa-${uuid}`]);

    // A later request takes the label over, once what it asked for is done; nobody else's pods were touched by the first.
    const stopId = "gateway-7.stop_0002";
    await under(stopId, house, customer).instances.stop.mutate({ instanceId, idempotencyKey: "stop-once-1" });
    await reached(customer, instanceId, ({ observedPhase }) => observedPhase === "stopped");
    expect(labelled(orderId)).toEqual([]);
    expect(labelled(stopId)).toHaveLength(2);
    expect(told("worker", "instance.stopped")).toMatchObject([{ requestId: stopId }]);
  },
);

test("an id that no label can hold is replaced at the door, and the app comes up", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  await using customer = await house.customer();
  const { subscription } = await order({ ...customer, api: under(`-${"x".repeat(62)}.`, house, customer) });
  await reached(customer, subscription.instanceId, isUp);
  const uuid = fromPublicId("instance", subscription.instanceId)!;
  const [operation] = await rows(house, `select request_id from operations where instance_id = '${uuid}'`);
  expect(operation?.["request_id"]).toMatch(/^[\da-f-]{36}$/);
});

test("a run that the watch prompted names the request whose operation is under way", { timeout: 120_000 }, async () => {
  const lines: LogLine[] = [];
  await using house = await startHouse({ onLogLine: (line) => lines.push(JSON.parse(line) as LogLine) });
  await using customer = await house.customer();
  const { subscription } = await order({ ...customer, api: under("first-request", house, customer) });
  await reached(customer, subscription.instanceId, isUp);
  // As the watch adds it: it knows the app and no request.
  await rows(house, "update graphile_worker._private_jobs set payload = (payload::jsonb - '_requestId')::json");
  await under("second-request", house, customer).instances.restart.mutate({
    instanceId: subscription.instanceId,
    idempotencyKey: "restart-1",
  });
  await rows(house, "update graphile_worker._private_jobs set payload = (payload::jsonb - '_requestId')::json");
  const ended = await until("the restart is done", () => {
    const found = lines.filter((line) => line["process"] === "worker" && line["event"] === "operation.succeeded");
    return found.length === 2 ? found : null;
  });
  expect(ended.map(({ requestId }) => requestId)).toEqual(["first-request", "second-request"]);
});
