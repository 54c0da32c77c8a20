import { defineConfig } from "drizzle-kit";

// Paths are relative to the root of the repository, where `npm run db:generate` runs.
export default defineConfig({
  dialect: "postgresql",
  schema: "./packages/db/src/schema/index.ts",
  out: "./packages/db/migrations",
  casing: "snake_case",
});
