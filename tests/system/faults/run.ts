import { spawnSync } from "node:child_process";
import { findRows } from "./rows-in.ts";

// Every test that names a row of faults, wherever it stands; every crash point; FAULT_RUNS random schedules (40 unless
// told); and the page about what was proven.
const files = [...new Set([...findRows().values()].flatMap((found) => [...found]))];
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
