import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createKeyring, manualClock } from "@sewa/core";
import { type Devcluster, startDevcluster } from "@sewa/devcluster";
import { type Cluster, connectCluster } from "@sewa/provisioner";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createLogRelay, type LogRelay, type LogRelayLimits } from "./log-relay.ts";
import { until } from "./test-house.ts";

const instanceId = "01a1fd78-ef6f-7888-add7-58ae708fc93e";
const namespace = `sewa-${instanceId}`;
const keyring = createKeyring([{ id: "test", key: Buffer.alloc(32, 7) }]);
const clock = manualClock(new Date("2026-03-02T03:00:00Z"));

interface Given extends AsyncDisposable {
  readonly devcluster: Devcluster;
  readonly relay: LogRelay;
  /** All that was logged. */
  readonly logged: () => string;
  ticket(change?: object): string;
  ask(ticket: string, signal?: AbortSignal): Promise<Response>;
  call(method: string, path: string, body?: object): Promise<number>;
}

/** A cluster with one pod that writes, and a relay before it. */
async function given(limits: Partial<LogRelayLimits> = {}, hasCluster = true): Promise<Given> {
  const resources = new AsyncDisposableStack();
  const devcluster = resources.use(await startDevcluster({ port: 0, pace: 0 }));
  const settings = { ingressClassName: "traefik", ingressNamespaceLabels: {}, storageClassName: null };
  const log = { warn: () => undefined };
  const cluster: Cluster = resources.use(connectCluster({ kubeconfig: devcluster.kubeconfig, settings, log }));
  const lines: string[] = [];
  const relay = createLogRelay({
    core: { keyring, clock },
    cluster: hasCluster ? cluster : null,
    log: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }),
    limits,
  });
  const server = createServer((request, response) => {
    void relay.serve(new URL(request.url ?? "/", "http://relay").searchParams.get("ticket") ?? "", response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  resources.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = /token: "(.*)"/u.exec(devcluster.kubeconfig)?.[1] ?? "";
  const call: Given["call"] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await fetch(devcluster.url + path, init)).status;
  };
  expect(await call("POST", "/api/v1/namespaces", { metadata: { name: namespace } })).toBe(201);
  const containers = [{ name: "app", image: "example/app:1" }];
  const pod = { metadata: { name: "app-1" }, spec: { containers } };
  expect(await call("POST", `/api/v1/namespaces/${namespace}/pods`, pod)).toBe(201);
  await until("it runs", () =>
    devcluster.objects("Pod").some((object) => (object["status"] as { phase?: string }).phase === "Running"),
  );
  return {
    devcluster,
    relay,
    logged: () => lines.join(""),
    call,
    ask: (ticket, signal) => fetch(`${url}/logs?ticket=${ticket}`, signal === undefined ? {} : { signal }),
    ticket(change = {}) {
      const body = Buffer.from(
        JSON.stringify({
          instanceId,
          pod: "app-1",
          container: "app",
          isPrevious: false,
          isFollowed: true,
          tailLines: null,
          since: null,
          expiresAt: "2026-03-02T03:01:00.000Z",
          ...change,
        }),
      ).toString("base64url");
      return `${body}.${keyring.sign(`log-ticket|${body}`)}`;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The items of an answer as they come; `ended` resolves when it is over, however that happened. */
function collect(response: Response): { readonly items: Record<string, unknown>[]; readonly ended: Promise<void> } {
  const items: Record<string, unknown>[] = [];
  const read = async (): Promise<void> => {
    let rest = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") items.push(JSON.parse(line) as Record<string, unknown>);
    }
  };
  return { items, ended: read().catch(() => undefined) };
}

const pod = { namespace, name: "app-1" };
const textsOf = (items: readonly Record<string, unknown>[]): unknown[] =>
  items.map((item) => item["text"] ?? item["end"]);

test("a log that is not followed is passed on whole, with its end", async () => {
  await using house = await given();
  house.devcluster.write(pod, "one\ntwo");
  const { items, ended } = collect(await house.ask(house.ticket({ isFollowed: false, tailLines: 2 })));
  await ended;
  expect(textsOf(items)).toEqual(["one", "two", "ended"]);
  expect(items[0]).toMatchObject({ at: expect.stringMatching(/\.\d{9}Z$/) as string, isCut: false });
});

test("without a valid ticket, without a cluster and beyond the bound nobody is let in", async () => {
  await using house = await given({ streams: 1 });
  const ticket = house.ticket();
  expect((await house.ask("")).status).toBe(401);
  expect((await house.ask(`${ticket.slice(0, -4)}AAAA`)).status).toBe(401);
  expect((await house.ask(house.ticket({ expiresAt: "2026-03-02T02:59:59.000Z" }))).status).toBe(401);
  const leave = new AbortController();
  const first = await house.ask(ticket, leave.signal);
  expect(first.status).toBe(200);
  expect((await house.ask(ticket)).status).toBe(503);
  leave.abort();
  await until("there is room again", () => house.relay.size === 0);
  const again = new AbortController();
  expect((await house.ask(ticket, again.signal)).status).toBe(200);
  again.abort();
  await using lonely = await given({}, false);
  expect((await lonely.ask(lonely.ticket())).status).toBe(503);
});

test("a client that leaves in mid-stream closes the stream of the cluster too", async () => {
  await using house = await given();
  const leave = new AbortController();
  const { items } = collect(await house.ask(house.ticket(), leave.signal));
  house.devcluster.write(pod, "one");
  await until("it is heard", () => textsOf(items).includes("one"));
  expect(house.relay.size).toBe(1);
  leave.abort();
  await until("the stream is closed", () => house.relay.size === 0);
});

test("a reset by the API server is told as lost, a pod that is deleted as an end, and one that is gone as gone", async () => {
  await using house = await given();
  const cut = collect(await house.ask(house.ticket()));
  house.devcluster.write(pod, "one");
  await until("it is heard", () => textsOf(cut.items).includes("one"));
  house.devcluster.dropWatches();
  await cut.ended;
  expect(textsOf(cut.items).at(-1)).toBe("lost");

  const followed = collect(await house.ask(house.ticket()));
  await until("it is heard", () => textsOf(followed.items).includes("one"));
  await house.call("DELETE", `/api/v1/namespaces/${namespace}/pods/app-1?gracePeriodSeconds=0`);
  await followed.ended;
  expect(textsOf(followed.items).at(-1)).toBe("ended");

  await until("it is gone", () => house.devcluster.objects("Pod").length === 0);
  const late = collect(await house.ask(house.ticket()));
  await late.ended;
  expect(textsOf(late.items)).toEqual(["gone"]);
});

test("a cluster that is away is told as lost, and neither ticket nor text is logged", async () => {
  await using house = await given();
  house.devcluster.write(pod, "what the customer wrote");
  const ticket = house.ticket();
  const followed = collect(await house.ask(ticket));
  await until("it is heard", () => textsOf(followed.items).includes("what the customer wrote"));
  await house.devcluster.stop();
  await followed.ended;
  const late = collect(await house.ask(ticket));
  await late.ended;
  expect(textsOf(late.items)).toEqual(["lost"]);
  expect(house.logged()).toContain(instanceId);
  expect(house.logged()).not.toContain("what the customer wrote");
  expect(house.logged()).not.toContain(ticket.split(".")[1]);
});

test("nobody follows with one ticket for longer than the bound", async () => {
  await using house = await given({ followMs: 50 });
  const { items, ended } = collect(await house.ask(house.ticket()));
  await ended;
  expect(textsOf(items).at(-1)).toBe("lost");
  expect(house.relay.size).toBe(0);
});

test("an app that writes faster than the bound is read later, and nothing is left out", async () => {
  await using house = await given({ linesPerSecond: 100 });
  const written = Array.from({ length: 450 }, (_, index) => `line ${index}`);
  house.devcluster.write(pod, written.join("\n"));
  const { items } = collect(await house.ask(house.ticket()));
  await until("all has come", () => items.length >= 450 + 3);
  expect(textsOf(items).slice(3)).toEqual(written);
});

test("each side hears of the other while nothing is written", async () => {
  await using house = await given({ beatMs: 5 });
  const response = await house.ask(house.ticket());
  let empty = 0;
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (/^\n+$/.test(chunk)) empty += 1;
    if (empty === 3) break;
  }
  expect(empty).toBe(3);
  await until("the stream is closed", () => house.relay.size === 0);
});
