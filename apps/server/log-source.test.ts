import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RelayedLog } from "@sewa/api";
import { expect, test } from "vitest";
import { readLog } from "./log-source.ts";
import { until } from "./test-house.ts";

interface Worker extends AsyncDisposable {
  readonly url: string;
}

/** A worker's internal port that answers as it might on a bad day. */
async function startWorker(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Worker> {
  const server = createServer((request, response) => answer(response, request));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const line = (text: string): string => `${JSON.stringify({ at: null, text, isCut: false })}\n`;
const neverAborted = (): AbortSignal => new AbortController().signal;

async function read(
  urls: readonly string[],
  signal = neverAborted(),
  timings = { answerMs: 3_000, silentMs: 30_000 },
  onItem: (item: RelayedLog) => void = () => undefined,
): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const piece of readLog({ urls, ticket: "the-ticket" }, signal, timings)) {
    for (const item of piece) {
      items.push(item.kind === "line" ? item.text : item.reason);
      onItem(item);
    }
  }
  return items;
}

test("a log is read to its end, however it is cut into chunks, and empty lines are none", async () => {
  const bytes = Buffer.from(`\n${line("größe 🐟")}\n${line("two")}{"end":"ended"}\n`);
  for (let size = 1; size < bytes.length; size += 7) {
    await using worker = await startWorker((response) => {
      const send = (start: number): void => {
        if (start >= bytes.length) return void response.end();
        response.write(bytes.subarray(start, start + size), () => setImmediate(send, start + size));
      };
      send(0);
    });
    expect(await read([worker.url])).toEqual(["größe 🐟", "two", "ended"]);
  }
});

test("workers are asked in order until one lets us in", async () => {
  const asked: (string | undefined)[] = [];
  await using full = await startWorker((response, request) => {
    asked.push(request.url);
    response.writeHead(503).end("{}");
  });
  await using silent = await startWorker(() => asked.push("silent"));
  await using worker = await startWorker((response) => response.end('{"end":"gone"}\n'));
  const urls = ["http://127.0.0.1:9", full.url, silent.url, worker.url];
  expect(await read(urls, neverAborted(), { answerMs: 50, silentMs: 30_000 })).toEqual(["gone"]);
  expect(asked).toEqual(["/logs?ticket=the-ticket", "silent"]);
  expect(await read([full.url])).toEqual(["lost"]);
  expect(await read([])).toEqual(["lost"]);
});

test.each([
  ["ends without saying why", (response: ServerResponse) => response.end(line("one")), [["one", "lost"]]],
  [
    "breaks in mid-stream",
    (response: ServerResponse) =>
      response.write(line("one"), () => setImmediate(() => response.socket?.resetAndDestroy())),
    [["one", "lost"], ["lost"]],
  ],
  ["speaks another language", (response: ServerResponse) => response.end(`${line("one")}<html>\n`), [["lost"]]],
  ["falls silent", (response: ServerResponse) => response.write(line("one")), [["one", "lost"]]],
])("a worker that %s is an end, and no error", async (_, answer, items) => {
  await using worker = await startWorker((response) => void answer(response));
  const seen = await read([worker.url], neverAborted(), { answerMs: 3_000, silentMs: 100 });
  // What was on its way when the connection broke may be lost with it.
  expect(items).toContainEqual(seen);
});

test("whoever aborts, or leaves the loop, ends it without a word and closes the connection", async () => {
  let closed = 0;
  await using worker = await startWorker((response) => {
    response.on("close", () => (closed += 1));
    response.write(line("one"));
  });
  const abort = new AbortController();
  expect(await read([worker.url], abort.signal, undefined, () => abort.abort())).toEqual(["one"]);
  await until("the connection is closed", () => closed === 1);
  for await (const _ of readLog({ urls: [worker.url], ticket: "t" }, neverAborted())) break;
  await until("the connection is closed", () => closed === 2);
  expect(await read([worker.url], AbortSignal.abort())).toEqual([]);
});
