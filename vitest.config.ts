import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/**/*.test.ts", "tests/**/*.test.ts", "bench/*.test.ts"],
    globalSetup: ["packages/db/src/testing/global-setup.ts", "tests/system/programs-setup.ts"],
    reporters: ["default", "./tests/summary-reporter.ts"],
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
