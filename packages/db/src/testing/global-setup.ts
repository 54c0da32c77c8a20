import type { TestProject } from "vitest/node";
import { startTestPostgres } from "./postgres.ts";
import type {} from "./test-database.ts"; // Which declares what is provided.

/** One server for the whole run, shared by all test files; each takes its own database from it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres();
  project.provide("sewaTestTemplate", { adminUrl: server.adminUrl, template: server.template });
  return () => server.stop();
}
