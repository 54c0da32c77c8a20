import { expect, test } from "vitest";
import { testCore } from "../testing/test-core.ts";
import { nextNumber } from "./next-number.ts";

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
