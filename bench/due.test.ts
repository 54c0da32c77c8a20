import { expect, test } from "vitest";
import { sweepAmong } from "./due.ts";

const due = 100;

test(
  "what the sweeps read for each that is due does not grow with those that are not",
  { timeout: 240_000 },
  async () => {
    const few = await sweepAmong(2_000, due);
    const many = await sweepAmong(40_000, due);
    for (const sweep of ["subscriptions", "payments", "changes", "usage"]) {
      const [before, after] = [few, many].map((swept) => swept.find((one) => one.sweep === sweep)!);
      expect([before!.found, after!.found]).toEqual([due, due]);
      expect(after!.buffers, `pages of ${sweep}, ${before!.buffers} among few`).toBeLessThan(2 * before!.buffers);
    }
  },
);
