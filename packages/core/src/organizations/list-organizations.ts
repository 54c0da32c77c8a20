import { belonging } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { authorize, door, getOrganization, type Organization } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { assert } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { MemberRole } from "../roles.ts";

/** An organization, as one of its members sees it. */
export interface MembershipView {
  readonly organization: Organization;
  readonly role: MemberRole;
}

/** Those that the actor is a member of, oldest first. */
export async function listOrganizations(ctx: CoreContext, input: PageInput): Promise<Page<MembershipView>> {
  const { actor } = ctx;
  authorize(actor, "account.read");
  assert(actor.type === "user", "only a user is a member");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const { id, name, slug, timeZone, taxId, country, settings } = belonging;
  const rows = await ctx.db.drizzle
    .select({ organization: { id, name, slug, timeZone, taxId, country, settings }, role: belonging.role })
    .from(door(sql`memberships_of(${actor.userId}, ${cursor}, ${limit + 1})`, "belonging"));
  return toPage(rows, limit, ({ organization }) => [organization.id]);
}

/** The one that the context is bound to. */
export async function readOrganization(ctx: CoreContext): Promise<Organization> {
  authorize(ctx.actor, "organization.read");
  return ctx.transaction((tx) => getOrganization(tx));
}
