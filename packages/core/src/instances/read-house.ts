import { house } from "@sewa/db/schema";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";

/** Which installation this database is of. What it makes in a cluster bears this id. */
export async function readHouseId(sql: Tx["sql"] | CoreContext["db"]["drizzle"]): Promise<string> {
  const [own] = await sql.select({ id: house.id }).from(house);
  assert(own !== undefined, "the database knows which house it is");
  return own.id;
}
