import fc from "fast-check";
import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

const limits = { linesPerSecond: 10, bytesPerSecond: 1_000 };

test("whoever waits as told never exceeds either limit for longer than a burst", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ bytes: fc.nat(500), idleMs: fc.nat(3_000) }), { minLength: 1 }), (lines) => {
      const pace = createPace(limits, 0);
      const passed: { at: number; bytes: number }[] = [];
      let now = 0;
      for (const { bytes, idleMs } of lines) {
        now += idleMs;
        passed.push({ at: now, bytes });
        now += pace(bytes, now);
      }
      for (const [from, first] of passed.entries()) {
        let [count, bytes] = [0, 0];
        for (const line of passed.slice(from)) {
          const seconds = (line.at - first.at) / 1_000;
          // What goes over the limit is one burst, and the line that is waited for after it was passed on.
          expect(count).toBeLessThanOrEqual(limits.linesPerSecond * (seconds + 4) + 1e-6);
          expect(bytes).toBeLessThanOrEqual(limits.bytesPerSecond * (seconds + 4) + 500);
          count += 1;
          bytes += line.bytes;
        }
      }
    }),
    { verbose: true },
  );
});

test("a quiet app is never held up", () => {
  const pace = createPace(limits, 0);
  for (let second = 0; second < 100; second += 1) expect(pace(100, second * 1_000)).toBe(0);
});
