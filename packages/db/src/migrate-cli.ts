import { MigrationError } from "./migrate/files.ts";
import { migrate } from "./migrate/migrate.ts";

// Exit codes: 0 up to date, 1 failed, 78 (EX_CONFIG) when DATABASE_URL is missing or no PostgreSQL address.
const url = process.env["DATABASE_URL"];
if (url === undefined || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
  console.error("DATABASE_URL has to be set to an address like postgres://user:password@host:5432/database.");
  process.exitCode = 78;
} else {
  try {
    const { applied } = await migrate({ url, log: (line) => console.log(line) });
    console.log(applied.length === 0 ? "The database is up to date." : `${applied.length} migration(s) applied.`);
  } catch (error) {
    // A MigrationError is a sentence for a person; anything else is shown whole.
    console.error(error instanceof MigrationError ? error.message : error);
    process.exitCode = 1;
  }
}
