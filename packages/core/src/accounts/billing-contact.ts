import { members, organizations, users } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";

/** Who is named on the invoices of the organization that the transaction is bound to: its owner. */
export async function getBillingContact(tx: Tx): Promise<{
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly taxId: string | null;
  readonly country: string | null;
}> {
  const [row] = await tx.sql
    .select({
      organization: organizations.name,
      name: users.name,
      email: users.email,
      taxId: organizations.taxId,
      country: organizations.country,
    })
    .from(members)
    .innerJoin(organizations, eq(organizations.id, members.organizationId))
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(eq(members.organizationId, organizationOf(tx)), eq(members.role, "owner")))
    .orderBy(members.createdAt)
    .limit(1);
  assert(row !== undefined, "every organization has an owner");
  return row;
}
