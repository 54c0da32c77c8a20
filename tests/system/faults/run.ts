import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";

// Every test that names a row of faults, wherever it stands; every crash point; FAULT_RUNS random schedules (40 unless
// told); and the page about what was proven.
const namesRow = /test(?:\.\w+\([^)]*\))?\(\s*["'`](?:[KQPWTO]\d+ )+/;
const files = globSync("{apps,packages,tests}/**/*.test.ts", { exclude: ["**/node_modules/**"] }).filter((file) =>
  namesRow.test(readFileSync(file, "utf8")),
);
const reporters = ["default", "./tests/summary-reporter.ts", "./tests/system/faults/faults-page.ts"];
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...files,
    "-t",
    "(^| )[KQPWTO][0-9]+ ",
    ...reporters.map((name) => `--reporter=${name}`),
  ],
  { stdio: "inherit", env: { ...process.env, FAULT_RUNS: process.env["FAULT_RUNS"] ?? "40" } },
);
process.exitCode = status ?? 1;
