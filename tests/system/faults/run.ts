import { spawnSync } from "node:child_process";

// Every crash point and FAULT_RUNS random schedules (40 unless told), and the page about what was proven.
const reporters = ["default", "./tests/summary-reporter.ts", "./tests/system/faults/faults-page.ts"];
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "tests/system/faults", ...reporters.map((name) => `--reporter=${name}`)],
  { stdio: "inherit", env: { ...process.env, FAULT_RUNS: process.env["FAULT_RUNS"] ?? "40" } },
);
process.exitCode = status ?? 1;
