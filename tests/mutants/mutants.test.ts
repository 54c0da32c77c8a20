import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";

const root = new URL("../../", import.meta.url);

test("each known bug still finds its place in the sources, and the tests that have to catch it", () => {
  const lost = mutants.filter(({ file, find, tests }) => {
    const places = readFileSync(new URL(file, root), "utf8").split(find).length - 1;
    return places !== 1 || !tests.every((path) => existsSync(new URL(path, root)));
  });
  expect(lost.map(({ name }) => name)).toEqual([]);
});
