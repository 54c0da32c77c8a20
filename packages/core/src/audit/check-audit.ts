import { auditCheckpoints, houseHead, organizationHeads } from "@sewa/db/schema";
import { asc, eq, exists, gt, isNull, or, type SQL } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import type { ChainOwner } from "./chain.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { removeOldEntries } from "./remove-old.ts";
import { type AuditFault, verifyAudit } from "./verify-audit.ts";

export interface CheckedAudit {
  readonly chains: number;
  readonly entries: number;
  /** One for each chain that does not hold. It is signed no further and nothing of it is removed. */
  readonly faults: readonly AuditFault[];
  /** Entries that were older than they are kept. */
  readonly removed: number;
}

/**
 * Verifies what has come to each chain since the last look and signs how far it holds; then removes what is older than
 * entries are kept. Run any number of times at once: a checkpoint says what holds, whoever signs it.
 */
export async function checkAudit(ctx: CoreContext, signal?: AbortSignal): Promise<CheckedAudit> {
  authorize(ctx.actor, "admin.audit.verify");
  const faults: AuditFault[] = [];
  let [chains, entries, removed] = [0, 0, 0];
  for (const owner of await listChains(ctx)) {
    signal?.throwIfAborted();
    const { fault, head, entries: looked } = await verifyAudit(ctx, owner, { sinceLast: true });
    chains += 1;
    entries += looked;
    if (fault !== null) {
      faults.push(fault);
      continue;
    }
    if (looked > 0) await ctx.transaction((tx) => signCheckpoint(tx, owner, "latest", head));
    removed += await removeOldEntries(ctx, owner, signal);
  }
  return { chains, entries, faults, removed };
}

/**
 * Chains with entries, and those that had some when they were signed. Those that were signed to their end too, because time makes
 * entries old.
 */
export async function listChains(ctx: CoreContext): Promise<readonly ChainOwner[]> {
  const { drizzle } = ctx.db;
  const signed = (owner: SQL | undefined) =>
    exists(drizzle.select({ id: auditCheckpoints.id }).from(auditCheckpoints).where(owner));
  const [house] = await drizzle
    .select()
    .from(houseHead)
    .where(or(gt(houseHead.auditSequence, 0), signed(isNull(auditCheckpoints.organizationId))));
  const rows = await drizzle
    .select({ id: organizationHeads.organizationId })
    .from(organizationHeads)
    .where(
      or(
        gt(organizationHeads.auditSequence, 0),
        signed(eq(auditCheckpoints.organizationId, organizationHeads.organizationId)),
      ),
    )
    .orderBy(asc(organizationHeads.organizationId));
  return [...(house === undefined ? [] : [null]), ...rows.map(({ id }) => id)];
}
