import { inventoryFindings, organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { record } from "../events/index.ts";
import type { FindingAction } from "./finding.ts";
import type { FindingRow } from "./record-findings.ts";

/**
 * Writes down what was done about a finding: in the finding, in the operators' audit, and as an event of the organization
 * where it is one of ours. Repeating it in a later audit is told again, because it was done again.
 */
export async function noteAction(
  ctx: CoreContext,
  finding: FindingRow,
  action: Exclude<FindingAction, "none">,
): Promise<void> {
  const organizationId = await findOrganization(ctx, finding.organizationId);
  const bound = organizationId === null ? ctx : ctx.forOrganization(organizationId);
  await bound.transaction(async (tx) => {
    await tx.sql
      .update(inventoryFindings)
      .set({ action, actedAt: ctx.clock.now() })
      .where(eq(inventoryFindings.id, finding.id));
    const object = describeSubject(finding);
    writeOperatorAudit(tx, {
      action: `inventory.${action}`,
      subject: { type: "finding", id: finding.id },
      after: { kind: finding.kind, object, organizationId, instanceId: finding.instanceId },
    });
    if (organizationId !== null) recordForCustomer(tx, finding, action, object);
  });
}

function recordForCustomer(
  tx: Tx,
  { kind, instanceId, subscriptionId }: FindingRow,
  action: Exclude<FindingAction, "none">,
  object: string,
): void {
  record(tx, {
    type: action === "repaired" ? "instance.repaired" : "instance.orphanRemoved",
    ...(instanceId === null ? {} : { instanceId }),
    ...(subscriptionId === null ? {} : { subscriptionId }),
    data: { finding: kind, object, ...(action === "kept_for_data" ? { dataKept: true } : {}) },
  });
}

/** `Service kuma`; for a row, that it is the row. */
function describeSubject({ subjectKind, subjectName }: FindingRow): string {
  return subjectKind === "Instance" ? "row" : `${subjectKind} ${subjectName}`;
}

/** Labels may name anybody: only an organization that exists is told. */
async function findOrganization(ctx: CoreContext, id: string | null): Promise<string | null> {
  if (id === null) return null;
  const [row] = await ctx.db.drizzle
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.id, id));
  return row?.id ?? null;
}
