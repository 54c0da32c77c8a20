import { inject } from "vitest";
import { cloneDatabase, type TestDatabase } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    sewaTestTemplate: { readonly adminUrl: string; readonly template: string };
  }
}

/** A migrated, empty database for one test or one test file: `await using database = await createTestDatabase();` */
export function createTestDatabase(): Promise<TestDatabase> {
  return cloneDatabase(inject("sewaTestTemplate"));
}
