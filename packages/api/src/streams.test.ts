import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ChangeFeed } from "./context.ts";
import { type Log, readEventId, type Stream, streamLog, streamOf, streamSnapshots } from "./streams.ts";

/** Says "look again" `times` times, then that the client is gone; `each` runs before every look. */
function changes(times: number, each: () => void = () => undefined): ChangeFeed {
  let left = times;
  return {
    next() {
      left -= 1;
      if (left >= 0) each();
      return Promise.resolve(left >= 0);
    },
  };
}

async function collect<T>(stream: Stream<T>): Promise<{ id: string; data: T }[]> {
  const items: { id: string; data: T }[] = [];
  for await (const [id, data] of stream) items.push({ id, data });
  return items;
}

test("snapshots: a client hears each version once, later ones only, and the last one always", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 12 }), fc.option(fc.nat(10)), async (steps, seen) => {
      let version = 5;
      const pending = [...steps];
      const items = await collect(
        streamSnapshots({
          read: () => Promise.resolve({ version }),
          versionOf: (snapshot) => snapshot.version,
          hasEnded: () => false,
          changes: changes(steps.length, () => (version += pending.shift() ?? 0)),
          lastEventId: seen === null ? undefined : String(seen),
        }),
      );
      const ids = items.map(({ id }) => Number(id));
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
      const known = seen === null || seen > 5 ? -1 : seen;
      expect(ids.every((id) => id > known)).toBe(true);
      expect(ids.at(-1)).toBe(version > known ? version : undefined);
    }),
    { verbose: true },
  );
});

test("snapshots: the stream ends with the thing", async () => {
  let reads = 0;
  const items = await collect(
    streamSnapshots({
      read: () => Promise.resolve({ version: (reads += 1) }),
      versionOf: ({ version }) => version,
      hasEnded: ({ version }) => version === 3,
      changes: changes(100),
      lastEventId: undefined,
    }),
  );
  expect(items.map(({ id }) => id)).toEqual(["1", "2", "3"]);
});

function logOf(entries: number[], pageSize: number, oldest = 1): Log<number> {
  return {
    pageSize,
    bounds: () => Promise.resolve({ head: entries.at(-1) ?? 0, oldest: entries.length === 0 ? 0 : oldest }),
    after: (sequence) =>
      Promise.resolve(
        entries
          .filter((entry) => entry > sequence && entry >= oldest)
          .slice(0, pageSize)
          .map((entry) => ({ sequence: entry, item: entry })),
      ),
    reset: (head) => -head,
  };
}

test("log: from any id of ours, everything after it comes once and in order, whatever is written meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(30),
      fc.nat(30),
      fc.array(fc.nat(4), { maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      async (length, from, growth, pageSize) => {
        const entries = Array.from({ length }, (_, index) => index + 1);
        const start = Math.min(from, length);
        const pending = [...growth];
        const grow = (): void => {
          for (let count = pending.shift() ?? 0; count > 0; count -= 1) entries.push(entries.length + 1);
        };
        const items = await collect(
          streamLog({
            log: logOf(entries, pageSize),
            changes: changes(growth.length, grow),
            flushed: () => Promise.resolve(),
            lastEventId: String(start),
          }),
        );
        expect(items.map(({ data }) => data)).toEqual(entries.slice(start));
      },
    ),
    { verbose: true },
  );
});

test.each([
  ["from before the kept log", "3", [{ id: "20", data: -20 }]],
  [
    "right before the oldest that is kept",
    "9",
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map((n) => ({ id: String(n), data: n })),
  ],
  ["ahead of us", "21", [{ id: "20", data: -20 }]],
  ["no number", "x", [{ id: "20", data: -20 }]],
  ["none", undefined, []],
])("log: an id that is %s", async (_, lastEventId, expected) => {
  const entries = Array.from({ length: 20 }, (__, index) => index + 1);
  expect(
    await collect(
      streamLog({ log: logOf(entries, 100, 10), changes: changes(0), flushed: () => Promise.resolve(), lastEventId }),
    ),
  ).toEqual(expected);
});

test.each([
  ["", null],
  ["-1", null],
  ["01", null],
  ["1.0", null],
  ["1e3", null],
  [" 1", null],
  ["99999999999999999", null],
  ["0", 0],
  ["42", 42],
])("the event id %j is read as %j", (text, expected) => expect(readEventId(text)).toBe(expected));

test("what a stream sends is checked like the answer of a query", async () => {
  async function* wrong(): AsyncGenerator<unknown> {
    yield await Promise.resolve("not tracked");
  }
  await expect(collect(streamOf(z.string())(wrong()))).rejects.toThrow("tracked");
});
