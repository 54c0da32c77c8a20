import { DrizzleQueryError } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type InstanceSpec, readInstanceSpec } from "../instances/index.ts";
import type { InventoryRow } from "./inventory-row.ts";

/**
 * What an instance should have. Null when its rows do not say: its secrets are gone or do not open, its parameters do not
 * fit its blueprint. A database that does not answer is thrown.
 */
export async function readWanted(ctx: CoreContext, row: InventoryRow): Promise<InstanceSpec | null> {
  try {
    return await readInstanceSpec(ctx.forOrganization(row.organizationId), row.instanceId);
  } catch (error) {
    if (isOfDatabase(error)) throw error;
    return null;
  }
}

/** Errors of queries, of PostgreSQL and of the connection to it; those of Node's own functions begin with `ERR_`. */
function isOfDatabase(error: unknown): boolean {
  if (error instanceof DrizzleQueryError) return true;
  return error instanceof Error && "code" in error && !String(error.code).startsWith("ERR_");
}
