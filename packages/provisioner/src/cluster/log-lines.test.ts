import fc from "fast-check";
import { expect, test } from "vitest";
import { type LogLine, readLogLines } from "./log-lines.ts";

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function read(text: string | Buffer, sizes: readonly number[] = []): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of readLogLines(chunksOf(Buffer.from(text as string), sizes))) lines.push(line);
  return lines;
}

test("how the network cuts a log into chunks changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(40), { maxLength: 12 }),
      async (bytes, sizes) => {
        const whole = await read(Buffer.from(bytes));
        expect(await read(Buffer.from(bytes), sizes)).toEqual(whole);
      },
    ),
    { verbose: true },
  );
});

test("no byte that an app writes steers the terminal of who reads it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      for (const { text } of await read(Buffer.from(bytes))) {
        expect(text).not.toMatch(/(?!\t)[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        expect(text.isWellFormed()).toBe(true);
      }
    }),
    { verbose: true },
  );
});

test.each([
  ["UTC", "2026-11-20T23:31:39.941744226Z tick", "2026-11-20T23:31:39.941744226Z", "tick"],
  ["another zone", "2026-11-21T06:31:39.9417+07:00 tick", "2026-11-20T23:31:39.941700000Z", "tick"],
  ["no fraction", "2026-11-20T23:31:39Z tick", "2026-11-20T23:31:39.000000000Z", "tick"],
  ["no text", "2026-11-20T23:31:39Z ", "2026-11-20T23:31:39.000000000Z", ""],
  ["no time", "failed to open log file", null, "failed to open log file"],
  ["no such day", "2026-13-40T23:31:39Z tick", null, "2026-13-40T23:31:39Z tick"],
  ["an escape sequence", "2026-11-20T23:31:39Z \u001b[2Jx", "2026-11-20T23:31:39.000000000Z", "\\x1b[2Jx"],
  ["an end of line of Windows", "2026-11-20T23:31:39Z tick\r", "2026-11-20T23:31:39.000000000Z", "tick"],
])("a line with %s", async (_, line, at, text) => {
  expect(await read(`${line}\n`)).toEqual([{ at, text, isCut: false }]);
});

test("bytes that are no UTF-8 are replaced", async () => {
  const [line] = await read(Buffer.from([0x61, 0xff, 0xfe, 0x62]));
  expect(line?.text).toBe("a\ufffd\ufffdb");
});

test("an endless line is cut, and the next one is whole", async () => {
  const [long, next] = await read(
    `${"x".repeat(5_000_000)}\nshort\n`,
    Array.from({ length: 80 }, () => 65_536),
  );
  expect(long).toMatchObject({ text: "x".repeat(16 * 1_024), isCut: true });
  expect(next).toMatchObject({ text: "short", isCut: false });
});
