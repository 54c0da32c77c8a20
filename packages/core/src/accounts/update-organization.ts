import { organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { getOrganization, lockOrganization, type Organization } from "./organizations.ts";

/** What is left out stays; null takes it away. */
export interface UpdateOrganization {
  readonly taxId?: string | null | undefined;
  readonly country?: string | null | undefined;
}

/** What stands on invoices that are opened from now on. Those that were opened stay as they are. */
export async function updateOrganization(ctx: CoreContext, input: UpdateOrganization): Promise<Organization> {
  authorize(ctx.actor, "organization.write");
  if (input.country != null && !/^[A-Z]{2}$/.test(input.country)) {
    const message = "Write a country as two capital letters, such as ID.";
    throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "country", message }] });
  }
  return ctx.transaction(async (tx) => {
    await lockOrganization(tx);
    const before = await getOrganization(tx);
    const taxId = input.taxId === undefined ? before.taxId : input.taxId;
    const country = input.country === undefined ? before.country : input.country;
    const after = { ...before, taxId, country };
    if (before.taxId === taxId && before.country === country) return before;
    await tx.sql
      .update(organizations)
      .set({ taxId, country })
      .where(eq(organizations.id, organizationOf(tx)));
    record(tx, { type: "organization.updated", data: { taxId, country }, before, after });
    return after;
  });
}
