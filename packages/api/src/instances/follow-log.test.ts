import fc from "fast-check";
import { expect, test } from "vitest";
import type { RelayedLog } from "../context.ts";
import type { LogStreamDto } from "./dto.ts";
import { followLog, toLogLineDto } from "./follow-log.ts";
import { type LogPosition, readLogEventId, writeLogEventId } from "./log-position.ts";

interface Line {
  readonly at: string;
  readonly text: string;
}

const line = ({ at, text }: Line): RelayedLog => ({ kind: "line", at, text, isCut: false });
const end = (reason: "ended" | "gone" | "lost"): RelayedLog => ({ kind: "end", reason });

/** A moment with few different seconds and fractions, so that many lines share one. */
const stamp = (tick: number): string =>
  `2026-11-20T23:31:${String(Math.floor(tick / 4)).padStart(2, "0")}.${String(tick % 4).padStart(9, "0")}Z`;

interface Heard {
  readonly texts: string[];
  readonly kinds: string[];
  readonly lastId: string;
  readonly items: LogStreamDto[];
}

/** Follows what `runs` answer one after the other, each to "from this second on"; after the last the pod is gone. */
async function follow(
  runs: readonly ((since: Date | null) => readonly RelayedLog[])[],
  position: LogPosition | null = null,
): Promise<Heard> {
  const left = [...runs];
  const items: LogStreamDto[] = [];
  let lastId = "";
  const stream = followLog({
    pod: "app-1",
    position,
    open: (since) => {
      const run = left.shift();
      return Promise.resolve(run === undefined ? null : pieces(run(since)));
    },
    pause: () => Promise.resolve(true),
    flushed: () => Promise.resolve(),
  });
  for await (const [id, item] of stream) {
    lastId = id;
    items.push(item);
  }
  return {
    items,
    lastId,
    kinds: items.map(({ kind }) => kind),
    texts: items.flatMap((item) => (item.kind === "lines" ? item.lines.map(({ text }) => text) : [])),
  };
}

async function* pieces(items: readonly RelayedLog[]): AsyncGenerator<readonly RelayedLog[]> {
  for (let start = 0; start < items.length; start += 3) yield items.slice(start, start + 3);
}

test("wherever the connection breaks, and wherever the client comes back, each line is heard once and in order", async () => {
  const ticks = fc.array(fc.nat(2), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(ticks, fc.array(fc.nat(40), { maxLength: 6 }), fc.nat(5), async (steps, breaks, from) => {
      let tick = 0;
      const log = steps.map((step, index) => ({ at: stamp((tick += step)), text: String(index) }));
      const readFrom = (since: Date | null, upTo: number): RelayedLog[] =>
        log
          .slice(0, upTo)
          .filter(({ at }) => since === null || Date.parse(at) >= since.getTime())
          .map(line);
      const sizes = [...breaks.map((size) => Math.min(size, log.length)).toSorted((a, b) => a - b), log.length];
      const runs = sizes.map((size) => (since: Date | null) => [...readFrom(since, size), end("lost")]);
      const before = await follow(runs.slice(0, from));
      const after = await follow(runs.slice(from), readLogEventId(before.lastId)?.position ?? null);
      expect([...before.texts, ...after.texts]).toEqual(log.map(({ text }) => text));
      expect([...before.kinds, ...after.kinds]).not.toContain("gap");
      expect(after.kinds.at(-1)).toBe("end");
    }),
    { verbose: true },
  );
});

const position = { at: stamp(10), count: 1 };
const old = { at: stamp(10), text: "known" };
const next = { at: stamp(13), text: "next" };

test("after a break, a line that is no longer there is a gap from the last that was heard to the next", async () => {
  const { items } = await follow([() => [line(next)]], position);
  expect(items).toEqual([
    { kind: "gap", from: new Date("2026-11-20T23:31:02.000Z"), to: new Date("2026-11-20T23:31:03.000Z") },
    { kind: "lines", pod: "app-1", lines: [toLogLineDto({ kind: "line", ...next, isCut: false })] },
    { kind: "end", pod: "app-1" },
  ]);
});

test("fewer lines of the last moment than were heard are a gap too", async () => {
  expect((await follow([() => [line(old), line(next)]], { ...position, count: 2 })).kinds).toEqual([
    "gap",
    "lines",
    "end",
  ]);
});

test("a run that was read to its end and is followed by another is no gap, one that broke off is", async () => {
  const first = (reason: "ended" | "lost") => () => [line(old), end(reason)];
  const second = () => [line(next)];
  expect((await follow([first("ended"), second])).kinds).toEqual(["lines", "lines", "end"]);
  expect((await follow([first("lost"), second])).kinds).toEqual(["lines", "gap", "lines", "end"]);
  // The run that broke off was read again to its end, and then the next began.
  expect((await follow([first("lost"), first("ended"), second])).kinds).toEqual(["lines", "lines", "end"]);
  // Another run, which has said nothing, came and went meanwhile: that makes nothing whole.
  expect((await follow([first("lost"), () => [end("ended")], second])).kinds).toEqual(["lines", "gap", "lines", "end"]);
});

test("a pod that is gone ends the stream after its last lines", async () => {
  const { kinds, texts } = await follow([() => [line(old), line(next), end("gone")], () => [line(next)]]);
  expect(kinds).toEqual(["lines", "end"]);
  expect(texts).toEqual(["known", "next"]);
});

test("tries are counted only while nothing new comes", async () => {
  const tries: number[] = [];
  const runs = [[line(old)], [line(old)], [line(old)], [line(old), line(next)], [line(next)], null];
  const stream = followLog({
    pod: "app-1",
    position: null,
    open: () => {
      const run = runs.shift() ?? null;
      return Promise.resolve(run === null ? null : pieces(run));
    },
    pause: (count) => Promise.resolve(tries.push(count) > 0),
    flushed: () => Promise.resolve(),
  });
  for await (const _ of stream);
  expect(tries).toEqual([0, 1, 2, 0, 1]);
});

test.each([
  ["app-1/", { pod: "app-1", position: null }],
  [`app-1/${stamp(10)}/3`, { pod: "app-1", position: { at: stamp(10), count: 3 } }],
])("the id %s is what was written", (id, seen) => {
  expect(readLogEventId(id)).toEqual(seen);
  expect(writeLogEventId(seen.pod, seen.position)).toBe(id);
});

test.each([
  "",
  "17",
  "../x/",
  "app-1",
  "app-1/2026-11-20/1",
  "app-1/2026-99-20T23:31:00.000000000Z/1",
  `${"a".repeat(300)}/`,
  null,
])("%s is no id of ours", (id) => {
  expect(readLogEventId(id)).toBeNull();
});
