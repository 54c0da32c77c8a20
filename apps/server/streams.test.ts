import { type EventStreamDto, type InstanceDto, transformer } from "@sewa/api";
import { createInstanceStore, fromPublicId } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createSocketClient,
  type Customer,
  orderFree,
  type SocketClient,
  startTestHouse,
  type TestHouse,
  until,
} from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

interface Received<T> {
  readonly items: { readonly id: string; readonly data: T }[];
  readonly errors: unknown[];
  readonly state: { started: boolean; completed: boolean };
  stop(): void;
}

function onStatus({ api }: SocketClient, input: { instanceId: string; lastEventId?: string }): Received<InstanceDto> {
  return receive((handlers) => api.instances.onStatus.subscribe(input, handlers));
}

function onEvent(
  { api }: SocketClient,
  input: { instanceId?: string; lastEventId?: string },
): Received<EventStreamDto> {
  return receive((handlers) => api.instances.onEvent.subscribe(input, handlers));
}

function receive<T>(
  subscribe: (handlers: {
    onStarted: () => void;
    onData: (item: { id: string; data: T }) => void;
    onError: (error: unknown) => void;
    onComplete: () => void;
  }) => { unsubscribe(): void },
): Received<T> {
  const items: { id: string; data: T }[] = [];
  const errors: unknown[] = [];
  const state = { started: false, completed: false };
  const subscription = subscribe({
    onStarted: () => void (state.started = true),
    onData: (item) => items.push(item),
    onError: (error) => errors.push(error),
    onComplete: () => void (state.completed = true),
  });
  return { items, errors, state, stop: () => subscription.unsubscribe() };
}

function socketOf(customer: Customer, url = house.url): SocketClient {
  return createSocketClient(url, { token: customer.token });
}

/** What a worker would record of the instance, which raises its revision and tells the listeners. */
async function observe(id: string, phase: "provisioning" | "running"): Promise<void> {
  const instanceId = fromPublicId("instance", id) ?? "";
  const store = createInstanceStore(house.core, "test");
  await using lease = await until("the lease is free", () => store.lease(instanceId));
  const [row] = await house.sql(`select generation from instances where id = '${instanceId}'`);
  await store.recordObserved(lease, Number(row?.["generation"]), {
    existence: "present",
    phase,
    reason: phase === "running" ? null : "STARTING",
    message: null,
    pods: [],
    conditions: [],
    nodeName: null,
    ownerClaimed: phase === "running",
    steps: {},
  });
}

test("W6 onStatus sends the snapshot first and then what has changed, each under its revision, over a second server as well", async () => {
  const customer = await house.customer();
  const { instanceId } = await orderFree(customer.api, "order-status-1");
  const another = await house.another();
  await using near = socketOf(customer);
  await using far = socketOf(customer, another.url);
  const streams = [onStatus(near, { instanceId }), onStatus(far, { instanceId })];
  for (const stream of streams) await until("the snapshot came", () => stream.items.length > 0);
  expect(streams[0]?.items[0]?.data).toMatchObject({
    id: instanceId,
    desiredPhase: "running",
    operation: { kind: "provision" },
  });

  await observe(instanceId, "provisioning");

  for (const stream of streams) {
    const last = await until("the change came", () =>
      stream.items.find(({ data }) => data.observedPhase === "provisioning"),
    );
    expect(last.id).toBe(String(last.data.revision));
    expect(last.data).toMatchObject({ reason: "STARTING", message: "The app is starting." });
    expect(stream.items.map(({ id }) => Number(id))).toEqual(
      stream.items.map(({ id }) => Number(id)).toSorted((a, b) => a - b),
    );
    stream.stop();
  }
});

test("onStatus resumed at the current revision sends nothing until there is something newer; an id that is none or ahead gets the snapshot", async () => {
  const customer = await house.customer();
  const { instanceId } = await orderFree(customer.api, "order-status-2");
  const { revision } = await customer.api.instances.get.query({ instanceId });
  await using socket = socketOf(customer);
  const current = onStatus(socket, { instanceId, lastEventId: String(revision) });
  const forged = ["no number", "1e9", "-1", String(revision + 1_000)].map((lastEventId) =>
    onStatus(socket, { instanceId, lastEventId }),
  );
  for (const stream of forged) {
    await until("the snapshot came", () => stream.items.length > 0);
    expect(stream.items[0]?.id).toBe(String(revision));
  }
  await until("the stream began", () => current.state.started);
  expect(current.items).toEqual([]);

  await observe(instanceId, "provisioning");

  await until("the change came", () => current.items.length > 0);
  expect(current.items[0]?.data.revision).toBeGreaterThan(revision);
});

test("B106 a stream of another organization's app ends with NOT_FOUND", async () => {
  const [owner, stranger] = [await house.customer(), await house.customer()];
  const { instanceId } = await orderFree(owner.api, "order-status-3");
  await using socket = socketOf(stranger);
  for (const stream of [onStatus(socket, { instanceId }), onEvent(socket, { instanceId })]) {
    await until("it was refused", () => stream.errors.length > 0);
    expect(stream.errors[0]).toMatchObject({ data: { appCode: "NOT_FOUND", httpStatus: 404 } });
    expect(stream.items).toEqual([]);
  }
});

test("onEvent replays what was missed, in order and without gaps, and goes on with what follows", async () => {
  const customer = await house.customer();
  await using socket = socketOf(customer);
  const before = await customer.api.events.list.query({ limit: 1 });
  const live = onEvent(socket, { lastEventId: String(before.items[0]?.sequence) });
  const { instanceId } = await orderFree(customer.api, "order-events-1");
  await until("the order came", () =>
    live.items.some(({ data }) => data.kind === "event" && data.event.type === "operation.started"),
  );
  live.stop();

  const { items: log } = await customer.api.events.list.query({ limit: 100 });
  const all = log.map(({ sequence }) => sequence).toReversed();
  const replay = onEvent(socket, { lastEventId: "0" });
  await until("everything was replayed", () => replay.items.length >= all.length);
  expect(replay.items.map(({ id }) => Number(id))).toEqual(all);
  expect(all).toEqual(all.map((_, index) => index + 1));

  const middle = all[Math.floor(all.length / 2)] ?? 0;
  const rest = onEvent(socket, { lastEventId: String(middle) });
  await until("the rest was replayed", () => rest.items.length >= all.length - middle);
  await observe(instanceId, "running");
  await until("the new ones came too", () => rest.items.length > all.length - middle);
  expect(rest.items.map(({ id }) => Number(id))).toEqual(rest.items.map((_, index) => middle + index + 1));
});

test("B106 onEvent answers an id that is none or ahead of us with one reset that says from where on it goes", async () => {
  const customer = await house.customer();
  await using socket = socketOf(customer);
  const head = (await customer.api.events.list.query({ limit: 1 })).items[0]?.sequence ?? 0;
  for (const lastEventId of ["abc", String(head + 50)]) {
    const stream = onEvent(socket, { lastEventId });
    await until("the reset came", () => stream.items.length > 0);
    expect(stream.items).toEqual([{ id: String(head), data: { kind: "reset", sequence: head } }]);
    stream.stop();
  }
});

test("a stream over server-sent events is the same stream, and is given back when its reader leaves", async () => {
  const customer = await house.customer();
  const { instanceId } = await orderFree(customer.api, "order-status-4");
  const leaving = new AbortController();
  const input = encodeURIComponent(JSON.stringify(transformer.serialize({ instanceId })));
  const response = await fetch(`${house.url}/trpc/instances.onStatus?input=${input}`, {
    headers: { accept: "text/event-stream", authorization: `Bearer ${customer.token}` },
    signal: leaving.signal,
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  await until("the snapshot came", async () => {
    text += (await reader.read()).value ?? "";
    return text.includes("\nid: ");
  });
  expect(text).toContain(instanceId);
  const open = async (): Promise<string | undefined> =>
    /^sewa_subscriptions_open (\d+)$/m.exec(
      await fetch(`${house.server.internalUrl}/metrics`).then((answer) => answer.text()),
    )?.[1];
  expect(Number(await open())).toBeGreaterThan(0);
  leaving.abort();
  await until("it was given back", async () => (await open()) === "0");
});

test("W8 a client whose connection breaks comes back by itself and misses no event", async () => {
  const customer = await house.customer();
  await using socket = socketOf(customer);
  const stream = onEvent(socket, { lastEventId: "0" });
  await until("the log came", () => stream.items.length > 0);
  const connection = socket.socket.connection;
  (connection as unknown as { ws: { terminate(): void } }).ws.terminate();
  await orderFree(customer.api, "order-events-2");
  const { items } = await customer.api.events.list.query({ limit: 100 });
  await until("it caught up", () => stream.items.length >= items.length);
  expect(stream.items.map(({ id }) => Number(id))).toEqual(items.map(({ sequence }) => sequence).toReversed());
});
