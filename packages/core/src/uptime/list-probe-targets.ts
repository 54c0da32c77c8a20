import { instances, operations } from "@sewa/db/schema";
import { and, asc, eq, inArray, isNotNull, isNull, notExists, type SQL } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { listHealthUrls } from "../instances/index.ts";

export interface ProbeTarget {
  readonly instanceId: string;
  readonly generation: number;
  /** What has to answer, all of it, for the app to be up. */
  readonly urls: readonly string[];
}

/** Every app of the house that should answer now and says in its blueprint where. */
export async function listProbeTargets(ctx: CoreContext): Promise<readonly ProbeTarget[]> {
  return ctx.transaction(async (tx) => {
    const { id, name, host, blueprintVersionId, parameters, limits, generation } = instances;
    const rows = await tx.sql
      .select({ id, name, host, blueprintVersionId, parameters, limits, generation })
      .from(instances)
      .where(shouldAnswer(tx))
      .orderBy(asc(id));
    const urls = await listHealthUrls(tx, rows);
    return rows
      .map((row) => ({ instanceId: row.id, generation: row.generation, urls: urls.get(row.id) ?? [] }))
      .filter((target) => target.urls.length > 0);
  });
}

/**
 * It is wanted, its address has been open, and nothing is being done with it. While it is stopped by whomever for whatever
 * reason, or changed by an operation, not answering is no down time.
 */
export function shouldAnswer(tx: Pick<Tx, "sql">): SQL | undefined {
  const open = tx.sql
    .select({ id: operations.id })
    .from(operations)
    .where(and(eq(operations.instanceId, instances.id), inArray(operations.status, ["queued", "running"])));
  return and(isWanted, notExists(open));
}

/** Its customer counts on it, whether or not something is being done with it. */
export const isWanted: SQL | undefined = and(
  eq(instances.desiredPhase, "running"),
  isNotNull(instances.readyAt),
  isNull(instances.provisioningFailedAt),
);
