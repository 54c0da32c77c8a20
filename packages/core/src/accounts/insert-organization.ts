import { members, organizations, testClocks } from "@sewa/db/schema";
import { organizationOf, type Tx } from "../context.ts";
import { createOrganizationHead } from "../events/index.ts";

/** The organization that the transaction is bound to, with all that it cannot be without. */
export async function insertOrganization(
  tx: Tx,
  organization: { readonly name: string; readonly ownerId: string; readonly slug?: string | undefined },
): Promise<void> {
  const { name, ownerId, slug } = organization;
  const organizationId = organizationOf(tx);
  const { timeZone, testClocks: hasTestClock } = tx.ctx.config;
  await tx.sql
    .insert(organizations)
    .values({ id: organizationId, name, timeZone, ...(slug !== undefined && { slug }) });
  await createOrganizationHead(tx, organizationId);
  await tx.sql.insert(members).values({ organizationId, userId: ownerId, role: "owner" });
  if (hasTestClock) await tx.sql.insert(testClocks).values({ organizationId, nowAt: tx.now, targetAt: tx.now });
}
