import { transformer } from "@sewa/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Customer, orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
let customer: Customer;
let other: Customer;
let operator: Customer;
let mine: { readonly instanceId: string; readonly subscriptionId: string };
let theirs: typeof mine;

beforeAll(async () => {
  house = await startTestHouse({ limits: { callsPerMinutePerAddress: 1e6, callsPerMinutePerSession: 1e6 } });
  [customer, other, operator] = [await house.customer(), await house.customer(), await house.operator()];
  mine = await orderFree(customer.api, "order-of-mine");
  theirs = await orderFree(other.api, "order-of-theirs");
});
afterAll(() => house[Symbol.asyncDispose]());

interface Wish {
  readonly type: "query" | "mutation";
  readonly path: string;
  readonly input: unknown;
  readonly token?: string;
}

/** As a client that knows no types would send it; `ok` or the refusal's code, with its status. */
async function wish({ type, path, input, token = customer.token }: Wish): Promise<readonly [number, string]> {
  const url = `${house.url}/trpc/${path}`;
  const text = JSON.stringify(transformer.serialize(input));
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response =
    type === "query"
      ? await fetch(`${url}?input=${encodeURIComponent(text)}`, { headers })
      : await fetch(url, { method: "POST", headers, body: text });
  const { error } = (await response.json()) as { error?: { json: { data: { appCode: string } } } };
  return [response.status, error?.json.data.appCode ?? "ok"];
}

const query = (path: string, input: unknown, token?: string): Wish => ({
  type: "query",
  path,
  input,
  ...(token !== undefined && { token }),
});
const mutation = (path: string, input: unknown): Wish => ({ type: "mutation", path, input });
const order = { planId: "pln_00000000000000000000000001", parameters: {}, name: "A", priceKey: "0".repeat(32) };
const logs = (input: object): Wish => query("instances.logs", { instanceId: mine.instanceId, ...input });

test.each<readonly [string, () => Wish, number, string]>([
  ["B42 an object for an id", () => query("instances.get", { instanceId: { $ne: null } }), 400, "INVALID_INPUT"],
  ["B42 a list for an id", () => query("instances.get", { instanceId: [mine.instanceId] }), 400, "INVALID_INPUT"],
  ["B42 a number for an id", () => query("instances.get", { instanceId: 1 }), 400, "INVALID_INPUT"],
  ["B43 another one's id", () => query("instances.get", { instanceId: theirs.instanceId }), 404, "NOT_FOUND"],
  ["B44 a pod that is not of the app", () => logs({ pod: "somebody-elses-0" }), 404, "NOT_FOUND"],
  [
    "B45 an organization beside the session's",
    () => query("orders.list", { organizationId: "org_x" }),
    400,
    "INVALID_INPUT",
  ],
  [
    "B50 three thousand characters to look for",
    () => query("admin.organizations.list", { search: "%_\\".repeat(1_000) }, operator.token),
    400,
    "INVALID_INPUT",
  ],
  [
    "B72 a plan that nobody has",
    () => query("orders.quote", { planId: order.planId, parameters: {} }),
    404,
    "NOT_FOUND",
  ],
  [
    "B73 a price of the client's own",
    () => mutation("orders.place", { ...order, idempotencyKey: "price-001", amountMinor: 1n }),
    400,
    "INVALID_INPUT",
  ],
  ...["", " ", "a\nb", "a\u202eb", "\u200b", "a".repeat(61)].map(
    (name): readonly [string, () => Wish, number, string] => [
      `B78 the name ${JSON.stringify(name.slice(0, 8))}`,
      () => mutation("orders.place", { ...order, name, idempotencyKey: "name-0001" }),
      400,
      "INVALID_INPUT",
    ],
  ),
  ["B88 a container's name that climbs", () => logs({ container: "../../x" }), 400, "INVALID_INPUT"],
  ["B88 a pod's name that climbs", () => logs({ pod: "../../x" }), 400, "INVALID_INPUT"],
  ["B88 a thousand million lines", () => logs({ tailLines: 1e9 }), 400, "INVALID_INPUT"],
  ["B88 lines since the future", () => logs({ since: -1 }), 400, "INVALID_INPUT"],
  ["B89 a command to run", () => mutation("instances.exec", { command: ["sh"] }), 404, "UNKNOWN_PROCEDURE"],
  ["B94 an invoice's edit", () => mutation("invoices.update", { invoiceId: "inv_x" }), 404, "UNKNOWN_PROCEDURE"],
  ["B107 an operator's question", () => query("admin.audit.list", {}), 403, "FORBIDDEN"],
  ["B108 an entry's edit", () => mutation("admin.audit.update", {}), 404, "UNKNOWN_PROCEDURE"],
  [
    "B108 ten years of the audit at once",
    () => query("admin.audit.list", { from: new Date("2016-01-01"), to: new Date("2026-01-01") }, operator.token),
    400,
    "INVALID_INPUT",
  ],
  [
    "B108 ten years of use at once",
    () => query("usage.history", { subscriptionId: mine.subscriptionId, from: "2016-01-01", to: "2026-01-01" }),
    400,
    "INVALID_INPUT",
  ],
])("%s is refused by its code", async (_, made, status, appCode) => {
  expect(await wish(made())).toEqual([status, appCode]);
});

test("what is checked first answers first, and nothing of what comes after it is told", async () => {
  const path = `${house.url}/trpc/instances.stop`;
  const foreign = JSON.stringify(transformer.serialize({ instanceId: theirs.instanceId, idempotencyKey: "stop-0001" }));
  const json = { "content-type": "application/json" };
  const authorization = `Bearer ${customer.token}`;
  const tooLarge = " ".repeat(300 * 1_024);
  const calls: readonly (readonly [number, Record<string, string>, string])[] = [
    [403, { origin: "https://evil.example", "content-type": "text/plain" }, tooLarge],
    [415, { "content-type": "text/plain" }, tooLarge],
    [413, json, tooLarge],
    [401, json, `{"json":{"instanceId":5}}`],
    [401, json, foreign],
    [400, { ...json, authorization }, `{"json":{"instanceId":"${theirs.instanceId}"}}`],
    // It is being made, so it could not be stopped either.
    [404, { ...json, authorization }, foreign],
  ];
  for (const [status, headers, body] of calls) {
    const answer = await fetch(path, { method: "POST", headers, body });
    expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status });
  }
});

test("B78 a name is any text on one line, and no name of the cluster is made of it", async () => {
  const person = await house.customer();
  const { instanceId } = await orderFree(person.api, "order-of-a-name", "kube-system а 😀");
  const { name, url } = await person.api.instances.get.query({ instanceId });
  expect({ name, isPlain: /^http:\/\/[a-z0-9-]+\.apps\.test$/.test(url) }).toEqual({
    name: "kube-system а 😀",
    isPlain: true,
  });
  expect(url).not.toContain("kube-system");
});

test("B47 a cursor of another organization leads through one's own things, and one of another list is refused", async () => {
  const { nextCursor } = await other.api.events.list.query({ limit: 1 });
  const { items } = await customer.api.events.list.query({ cursor: nextCursor!, limit: 100 });
  expect(new Set(items.map(({ subscriptionId }) => subscriptionId).filter((id) => id !== null))).toEqual(
    new Set([mine.subscriptionId]),
  );
  expect(await wish(query("orders.list", { cursor: nextCursor }))).toEqual([400, "INVALID_INPUT"]);
});

test("B83 B86 B70 what is cancelled twice is cancelled once, is nobody else's to cancel, and does not start again", async () => {
  const person = await house.customer();
  const { instanceId, subscriptionId } = await orderFree(person.api, "order-to-end");
  const cancel = (idempotencyKey: string, confirmName = "Status page", api = person.api) =>
    api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName, idempotencyKey });
  await expect(cancel("cancel-01", "Status page", other.api)).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND", httpStatus: 404 },
  });
  const ended = await cancel("cancel-01");
  expect(ended.status).toBe("cancelled");
  expect(await cancel("cancel-01")).toEqual(ended);
  expect(await cancel("cancel-02")).toEqual(ended);
  await expect(cancel("cancel-01", "Another page")).rejects.toMatchObject({
    data: { appCode: "IDEMPOTENCY_KEY_REUSED", httpStatus: 409 },
  });
  for (const verb of ["start", "restart"] as const) {
    const call = person.api.instances[verb].mutate({ instanceId, idempotencyKey: `${verb}-ended` });
    await expect(call).rejects.toMatchObject({ data: { appCode: "INVALID_TRANSITION", httpStatus: 409 } });
  }
});
