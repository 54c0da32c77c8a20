import { expect, test } from "vitest";
import { testCore } from "../testing/test-core.ts";
import { nextNumber, yearOf } from "./next-number.ts";

test("a number that was taken by what came to nothing is given out again, so that a series has no gaps", async () => {
  await using core = await testCore();
  const take = () => core.ctx.transaction((tx) => nextNumber(tx, "INV-2026"));
  expect(await take()).toBe(1);
  const nothing = core.ctx.transaction(async (tx) => {
    expect(await nextNumber(tx, "INV-2026")).toBe(2);
    throw new Error("Something else did not go.");
  });
  await expect(nothing).rejects.toThrow("Something else");
  expect(await take()).toBe(2);
});

test("a series ends with the year of the house, wherever that is", async () => {
  await using core = await testCore({ timeZone: "Asia/Jakarta" });
  const year = () => core.ctx.transaction(async (tx) => yearOf(tx));
  core.clock.set(new Date("2026-12-31T16:59:59.999Z"));
  expect(await year()).toBe("2026");
  core.clock.set(new Date("2026-12-31T17:00:00Z"));
  expect(await year()).toBe("2027");
});
