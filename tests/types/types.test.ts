import { afterAll, beforeAll, describe, expect, test } from "vitest";
import budget from "./budget.json" with { type: "json" };
import { type Compiled, compilers, type Frontend, procedures, setUpFrontend } from "./packed-contract.ts";

/** Compilers, on a machine that is busy with other tests. */
const hookMs = 180_000;

let frontend: Frontend;
beforeAll(async () => {
  frontend = await setUpFrontend();
}, hookMs);
afterAll(() => frontend[Symbol.asyncDispose]());

describe.each(compilers)("with %s", (compiler) => {
  let bare: Compiled;
  let typical: Compiled;
  let full: Compiled;
  beforeAll(async () => {
    bare = await frontend.compile(compiler, "bare.ts");
    typical = await frontend.compile(compiler, "frontend.ts");
    full = await frontend.compile(compiler, "every-procedure.ts");
  }, hookMs);

  test("a strict frontend compiles, and no input and no output of any procedure is any", () => {
    expect(bare.errors).toEqual([]);
    expect(typical.errors).toEqual([]);
    expect(full.errors).toEqual([]);
  });

  // A frontend that calls a quarter of them; the rest is what it pays for being able to.
  test("it pays at most the budget in type instantiations for each procedure in reach", () => {
    const perProcedure = (typical.instantiations - bare.instantiations) / procedures.length;
    console.log(`${compiler}: ${perProcedure.toFixed(1)} instantiations per procedure`);
    expect(perProcedure).toBeGreaterThan(0);
    expect(perProcedure).toBeLessThanOrEqual(budget.instantiationsPerProcedure);
  });

  test("it reads at most so many more files than without us, and none of the server's insides", () => {
    const ratio = full.files.length / bare.files.length;
    console.log(`${compiler}: ${full.files.length} files, ${bare.files.length} without us`);
    expect(ratio).toBeLessThanOrEqual(budget.filesRatio);
    expect(
      full.files.filter((path) => /drizzle|kubernetes|\/packages\/|sewa\/(core|db|blueprint)|\/zod\//.test(path)),
    ).toEqual([]);
    expect(full.files.some((path) => path.includes("@sewa/api/contract.d.ts"))).toBe(true);
  });
});

test("the declarations are small, and name only what frontends have", () => {
  const perProcedure = frontend.built.declarationBytes / procedures.length;
  console.log(`${perProcedure.toFixed(0)} bytes of declarations per procedure`);
  expect(perProcedure).toBeLessThanOrEqual(budget.declarationBytesPerProcedure);
});
