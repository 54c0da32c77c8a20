import { expect, test } from "vitest";
import { type Client, createClient } from "@sewa/dev";
import type { LogStreamDto } from "@sewa/api";
import { type House, isUp, order, reached, startHouse, until } from "./house.ts";

const timeout = 90_000;

interface Running extends AsyncDisposable {
  readonly house: House;
  readonly client: Client;
  readonly instanceId: string;
  /** Namespace and name of its pod. */
  readonly pod: { readonly namespace: string; readonly name: string };
}

async function startApp(workers = 1): Promise<Running> {
  await using opening = new AsyncDisposableStack();
  const house = opening.use(await startHouse({ workers }));
  const client = opening.use(await house.customer());
  const { subscription } = await order(client);
  const { pods } = await reached(
    client,
    subscription.instanceId,
    (instance) => isUp(instance) && instance.pods.length > 0,
  );
  const name = pods[0]!.name;
  const { namespace = "" } = house.parts
    .devcluster!.objects("Pod")
    .find(({ metadata }) => metadata.name === name)!.metadata;
  const kept = opening.move();
  return {
    house,
    client,
    instanceId: subscription.instanceId,
    pod: { namespace, name },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

interface Followed {
  readonly items: { readonly id: string; readonly data: LogStreamDto }[];
  texts(): string[];
  readonly ended: Promise<Error | null>;
  stop(): void;
}

function follow({ api }: Client, input: { instanceId: string; pod?: string; lastEventId?: string }): Followed {
  const items: Followed["items"] = [];
  const ended = Promise.withResolvers<Error | null>();
  const stream = api.instances.onLog.subscribe(input, {
    onData: (item) => items.push({ id: String(item.id), data: item.data }),
    onError: (error) => ended.resolve(error),
    onComplete: () => ended.resolve(null),
  });
  return {
    items,
    texts: () => items.flatMap(({ data }) => (data.kind === "lines" ? data.lines.map(({ text }) => text) : [])),
    ended: ended.promise,
    stop: () => stream.unsubscribe(),
  };
}

const includes =
  (followed: Followed, text: string): (() => true | null) =>
  () =>
    followed.texts().includes(text) ? true : null;

test(
  "an app's last lines: oldest first, with times, what is no text made safe, and whether there is more",
  { timeout },
  async () => {
    await using app = await startApp();
    const { house, client, instanceId, pod } = app;
    const cluster = house.parts.devcluster!;
    const begin = await client.api.instances.logs.query({ instanceId });
    expect(begin).toMatchObject({ pod: pod.name, isTruncated: false, gap: false });
    expect(begin.lines[0]?.text).toContain("uptime-kuma");
    expect(begin.lines.every(({ at }) => at instanceof Date)).toBe(true);

    cluster.write(pod, "one\n\u001b[31mred\u001b[0m\rback\u202e\ntab\there");
    const three = await client.api.instances.logs.query({ instanceId, tailLines: 3 });
    expect(three.lines.map(({ text }) => text)).toEqual(["one", "\\x1b[31mred\\x1b[0m\\x0dback\\u202e", "tab\there"]);
    expect(three.isTruncated).toBe(true);

    cluster.write(pod, Array.from({ length: 999 }, (_, index) => `${index} ${"x".repeat(5_000)}`).join("\n"));
    const much = await client.api.instances.logs.query({ instanceId, tailLines: 1_000 });
    expect(much.isTruncated).toBe(true);
    expect(much.lines.at(-1)?.text).toMatch(/^998 /);
    expect(much.lines.reduce((bytes, { text }) => bytes + text.length, 0)).toBeLessThanOrEqual(1_024 ** 2);

    const answer = client.api.instances.logs.query({ instanceId, previous: true });
    expect(await answer).toMatchObject({ lines: [], isTruncated: false });
  },
);

test(
  "only a pod of one's own instance is shown, and what is no name, number or container is refused",
  { timeout },
  async () => {
    await using app = await startApp();
    const { house, client, instanceId, pod } = app;
    await using stranger = await house.customer();
    const code = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => "answered",
        (error: { data?: { appCode?: string } }) => error.data?.appCode,
      );
    const logs = (api: Client["api"], more: object): Promise<unknown> =>
      code(api.instances.logs.query({ instanceId, ...more } as never));
    expect(await logs(stranger.api, {})).toBe("NOT_FOUND");
    expect(await logs(stranger.api, { pod: pod.name })).toBe("NOT_FOUND");
    expect(await logs(client.api, { pod: "kuma-of-somebody-else" })).toBe("NOT_FOUND");
    expect(await logs(client.api, { container: "../../x" })).toBe("INVALID_INPUT");
    expect(await logs(client.api, { container: "nope" })).toBe("NOT_FOUND");
    expect(await logs(client.api, { tailLines: 1e9 })).toBe("INVALID_INPUT");
    expect(await logs(client.api, { tailLines: 0 })).toBe("INVALID_INPUT");
    expect(await logs(client.api, { since: -1 })).toBe("INVALID_INPUT");
    const foreign = follow(stranger, { instanceId });
    expect(await foreign.ended).toMatchObject({ data: { appCode: "NOT_FOUND" } });
  },
);

test(
  "a followed log goes on where it was, through a reset of the API server and a new socket, each line once",
  { timeout },
  async () => {
    await using app = await startApp();
    const { house, client, instanceId, pod } = app;
    const cluster = house.parts.devcluster!;
    const live = follow(client, { instanceId });
    await until("it has begun", () => (live.texts().length >= 3 ? true : null));
    cluster.write(pod, "before");
    await until("it is heard", includes(live, "before"));

    cluster.dropWatches();
    cluster.write(pod, "meanwhile");
    await until("it has gone on", includes(live, "meanwhile"));
    cluster.write(pod, "after");
    await until("it goes on", includes(live, "after"));
    expect(live.texts().slice(3)).toEqual(["before", "meanwhile", "after"]);
    expect(live.items.every(({ data }) => data.kind === "lines")).toBe(true);

    const { id } = live.items.find(({ data }) => data.kind === "lines" && data.lines.at(-1)?.text === "before")!;
    live.stop();
    const resumed = follow(client, { instanceId, lastEventId: id });
    await until("the rest has come", includes(resumed, "after"));
    cluster.write(pod, "last");
    await until("it is live again", includes(resumed, "last"));
    expect(resumed.texts()).toEqual(["meanwhile", "after", "last"]);
    resumed.stop();
  },
);

test("where a log cannot be resumed, a gap says so", { timeout }, async () => {
  await using app = await startApp();
  const { house, client, instanceId, pod } = app;
  const cluster = house.parts.devcluster!;
  cluster.write(pod, "known");
  const live = follow(client, { instanceId });
  await until("it is heard", includes(live, "known"));
  cluster.rotateLog(pod);
  cluster.write(pod, "in between");
  await until("it is heard", includes(live, "in between"));
  const { id } = live.items.at(-1)!;
  live.stop();
  cluster.rotateLog(pod);
  cluster.write(pod, "much later");

  const resumed = follow(client, { instanceId, lastEventId: id });
  await until("it has gone on", includes(resumed, "much later"));
  const [gap, lines] = resumed.items.map(({ data }) => data);
  expect(gap).toEqual({ kind: "gap", from: expect.any(Date) as Date, to: expect.any(Date) as Date });
  expect(lines).toMatchObject({ kind: "lines", pod: pod.name });
  resumed.stop();
});

test("the stream ends with its pod, also for a client that comes back later", { timeout }, async () => {
  await using app = await startApp();
  const { client, instanceId, pod } = app;
  const live = follow(client, { instanceId, pod: pod.name });
  await until("it has begun", () => (live.texts().length >= 3 ? true : null));
  await client.api.instances.stop.mutate({ instanceId, idempotencyKey: "stop-the-app" });
  expect(await live.ended).toBeNull();
  expect(live.items.at(-1)?.data).toEqual({ kind: "end", pod: pod.name });

  await reached(client, instanceId, ({ pods }) => pods.length === 0);
  const late = follow(client, { instanceId, lastEventId: live.items.at(-1)!.id });
  expect(await late.ended).toBeNull();
  expect(late.items.map(({ data }) => data)).toEqual([{ kind: "end", pod: pod.name }]);
  const none = client.api.instances.logs.query({ instanceId });
  await expect(none).rejects.toMatchObject({ data: { appCode: "LOGS_UNAVAILABLE" } });
});

test("a worker that dies takes no stream with it: another one relays", { timeout }, async () => {
  await using app = await startApp(2);
  const { house, client, instanceId, pod } = app;
  const cluster = house.parts.devcluster!;
  const live = follow(client, { instanceId });
  await until("it has begun", () => (live.texts().length >= 3 ? true : null));
  await house.workers[0]!.close();
  cluster.write(pod, "with one worker");
  await until("it is heard", includes(live, "with one worker"));
  live.stop();
  await house.workers[1]!.close();
  await expect(client.api.instances.logs.query({ instanceId })).rejects.toMatchObject({
    data: { appCode: "LOGS_UNAVAILABLE" },
  });
});

test("who logs out hears nothing more, and one log is followed once on a socket", { timeout }, async () => {
  await using app = await startApp();
  const { house, client, instanceId, pod } = app;
  const live = follow(client, { instanceId });
  await until("it has begun", () => (live.texts().length >= 3 ? true : null));
  const again = follow(client, { instanceId, pod: pod.name });
  expect(await again.ended).toMatchObject({ data: { appCode: "RATE_LIMITED" } });

  await client.api.auth.logOut.mutate();
  await until("the followed log is closed", async () => {
    const metrics = await (await fetch(`${house.workers[0]!.internalUrl}/metrics`)).text();
    return /^sewa_log_relays 0$/m.test(metrics) ? true : null;
  });
  const heard = live.texts().length;
  house.parts.devcluster!.write(pod, "secret");
  await using other = createClient(house.servers[0]!.url, null);
  await other.api.system.health.query();
  expect(live.texts()).toHaveLength(heard);
});
