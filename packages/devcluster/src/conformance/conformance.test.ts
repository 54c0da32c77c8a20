import { describe, expect, test } from "vitest";
import { replay } from "./replay.ts";
import { skipped, skipReason } from "./skipped.ts";
import { readTraces } from "./trace.ts";

describe("the recorded answers of a real server", () => {
  for (const trace of readTraces()) {
    test(
      `${trace.name}: every line that is not listed as skipped is answered alike, and no listed line is`,
      { timeout: 90_000 },
      async () => {
        const results = await replay(trace, (n) => skipReason(trace.id, n) !== null);
        const failing = results.filter((result) => result.differences.length > 0);
        const unlisted = failing.filter((result) => skipReason(trace.id, result.n) === null);
        expect(unlisted.map(({ n, note, differences }) => ({ n, note, differences: differences.slice(0, 3) }))).toEqual(
          [],
        );
        const failed = new Set(failing.map((result) => result.n));
        const passing = results.filter((result) => skipReason(trace.id, result.n) !== null && !failed.has(result.n));
        expect(passing.map(({ n, note }) => ({ n, note, advice: "matches now: take it from the list" }))).toEqual([]);
      },
    );
  }

  test("each skipped line exists and has a reason, and they are few", () => {
    const traces = readTraces();
    const known = new Set(traces.flatMap((trace) => trace.lines.map((line) => `${trace.id}:${line.n}`)));
    const listed = skipped.flatMap(({ trace, lines }) => lines.map((line) => `${trace}:${line}`));
    expect(listed.filter((line) => !known.has(line))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
    process.stdout.write(
      `conformance: ${known.size - listed.length} recorded lines compared, ${listed.length} skipped\n`,
    );
    expect(listed.length).toBeLessThan(known.size / 5);
  });
});
