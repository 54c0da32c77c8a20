import { sql } from "drizzle-orm";
import { bindTenant, type Tx } from "./context.ts";

/** A transaction that speaks for several organizations, one at a time. */
export interface Across {
  /** In the order of their ids on the first round, because work locks: everybody who locks more than one takes that order. */
  in<T>(organizationId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
}

/**
 * For what has to be one commit in more than one organization. Each has a `tx` of its own, with its own time and records, and sees no
 * other's rows. What is recorded is written at the end, in the order of the organizations' ids.
 */
export function acrossOrganizations(tx: Tx): Across {
  const bound = new Map<string, Tx>();
  tx.beforeCommit.push(async () => {
    for (const [, inner] of [...bound].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
      await bindTenant(tx.sql, inner.ctx);
      for (const hook of inner.beforeCommit) await hook();
      await checkConstraints(tx);
    }
    await bindTenant(tx.sql, tx.ctx);
  });
  return {
    async in(organizationId, work) {
      const ctx = tx.ctx.forOrganization(organizationId);
      const now = await bindTenant(tx.sql, ctx);
      const inner = bound.get(organizationId) ?? {
        sql: tx.sql,
        now,
        ctx,
        beforeCommit: [],
        afterCommit: tx.afterCommit,
      };
      bound.set(organizationId, inner);
      const value = await work(inner);
      await checkConstraints(tx);
      return value;
    },
  };
}

/** What waits for the commit would look for its rows behind the fence of whichever organization was spoken for last. */
async function checkConstraints(tx: Tx): Promise<void> {
  await tx.sql.execute(sql`set constraints all immediate`);
  await tx.sql.execute(sql`set constraints all deferred`);
}
