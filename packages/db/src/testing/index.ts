export { cloneDatabase, startTestPostgres } from "./postgres.ts";
export type { TestDatabase, TestPostgres, TestTemplate } from "./postgres.ts";
export { connectAsSuperuser } from "./superuser.ts";
export { createTestDatabase } from "./test-database.ts";
