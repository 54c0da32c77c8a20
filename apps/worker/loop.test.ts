import { expect, test } from "vitest";
import { startLoop } from "./loop.ts";
import { until } from "./test-house.ts";

test("a turn that fails is told and does not end the loop; only a good one counts as a sign of life", async () => {
  const errors: unknown[] = [];
  let turns = 0;
  await using loop = startLoop({
    everyMs: 1,
    run: () => (++turns % 2 === 0 ? Promise.resolve() : Promise.reject(new Error(`turn ${turns}`))),
    onError: (error) => errors.push(error),
  });
  await until("it went on", () => turns >= 6);
  expect(errors.length).toBeGreaterThanOrEqual(2);
  expect(loop.silentMs()).toBeGreaterThanOrEqual(0);
});

test("the end waits for the turn that runs, and no other begins", async () => {
  const held = Promise.withResolvers<void>();
  let turns = 0;
  const loop = startLoop({
    everyMs: 0,
    async run() {
      turns += 1;
      await held.promise;
    },
    onError: () => undefined,
  });
  let hasEnded = false;
  const ended = loop[Symbol.asyncDispose]().then(() => (hasEnded = true));
  await Promise.resolve();
  expect(hasEnded).toBe(false);
  held.resolve();
  await ended;
  expect(turns).toBe(1);
});
