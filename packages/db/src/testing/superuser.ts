import { connectDatabase, type Database } from "../client.ts";
import type { Role } from "../migrate/roles.ts";

/** With all rights, and behind no fence: to break what none of the roles can, and to look at everything. */
export function connectAsSuperuser(url: string): Database {
  // PostgreSQL's word for nobody else than who connects, and that is a superuser in tests.
  return connectDatabase({ url, role: "none" as Role, max: 1 });
}
