import { booksFindings } from "@sewa/db/schema";
import { and, eq, isNull } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type VerifiedLedger, verifyLedger, verifyLedgerIn } from "../ledger/index.ts";
import { ledgerPromise } from "./checks.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { recordBreaches } from "./record-breaches.ts";

/**
 * Recomputes the ledger of one organization, opens a finding for what is wrong first and resolves one that stands no more.
 * Null while another one looks at the books, when that takes longer than the lock time-out.
 */
export async function lookAtLedger(ctx: CoreContext, organizationId: string): Promise<VerifiedLedger | null> {
  const verified = await verifyLedger(ctx, organizationId);
  if (verified.fault === null && !(await isFound(ctx, organizationId))) return verified;
  return oneAtATime(ctx.forOrganization(organizationId), async (tx) => {
    const again = await verifyLedgerIn(tx, { organizationId, keyring: ctx.keyring });
    const { fault } = again;
    const breaches = fault === null ? [] : [{ check: ledgerPromise, rowId: fault.subject.id, organizationId }];
    const asked = { checks: [ledgerPromise], organizationIds: [organizationId], cut: new Set<never>() };
    await recordBreaches(ctx, tx, { ...asked, breaches });
    return again;
  });
}

async function isFound(ctx: CoreContext, organizationId: string): Promise<boolean> {
  const { id, checkId, resolvedAt } = booksFindings;
  const rows = await ctx.db.drizzle
    .select({ id })
    .from(booksFindings)
    .where(and(eq(booksFindings.organizationId, organizationId), eq(checkId, ledgerPromise.id), isNull(resolvedAt)));
  return rows.length > 0;
}
