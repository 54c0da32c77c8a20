import { organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { canonicalJson } from "../json.ts";
import { isTimeZone } from "../periods.ts";
import { authorize } from "../permissions.ts";
import { checkName, normalizeDomain } from "./input.ts";
import { getOrganization, lockOrganization, type Organization } from "./organizations.ts";
import { checkSlug, refuseTakenSlug } from "./slug.ts";

/** What is left out stays; null takes it away. */
export interface UpdateOrganization {
  readonly name?: string | undefined;
  readonly slug?: string | undefined;
  /** Of subscriptions that begin from now on: those that run keep theirs, or their periods would shift. */
  readonly timeZone?: string | undefined;
  readonly taxId?: string | null | undefined;
  readonly country?: string | null | undefined;
  readonly settings?: { readonly allowedEmailDomains?: readonly string[] | undefined } | undefined;
}

/** Invoices that were opened stay as they are. Throws INVALID_INPUT, and CONFLICT for a slug that another one has. */
export async function updateOrganization(ctx: CoreContext, input: UpdateOrganization): Promise<Organization> {
  authorize(ctx.actor, "organization.write");
  const wanted = check(input);
  const work = ctx.transaction(async (tx) => {
    await lockOrganization(tx);
    const before = await getOrganization(tx);
    const after = { ...before, ...wanted, settings: { ...before.settings, ...wanted.settings } };
    if (canonicalJson(before) === canonicalJson(after)) return before;
    const { id: _, ...values } = after;
    await tx.sql
      .update(organizations)
      .set(values)
      .where(eq(organizations.id, organizationOf(tx)));
    record(tx, { type: "organization.updated", data: values, before, after });
    return after;
  });
  return refuseTakenSlug(work);
}

type Changes = { -readonly [K in keyof Omit<Organization, "id">]?: Organization[K] };

/** In the form that is stored, without what is left out. */
function check(input: UpdateOrganization): Changes {
  const { name, slug, timeZone, taxId, country, settings } = input;
  const wanted: Changes = {};
  if (name !== undefined) wanted.name = checkName(name, "name");
  if (slug !== undefined) wanted.slug = checkSlug(slug);
  if (taxId !== undefined) wanted.taxId = taxId;
  if (timeZone !== undefined) {
    if (!isTimeZone(timeZone)) throw invalid("timeZone", "Use the name of a time zone, such as Asia/Jakarta.");
    wanted.timeZone = timeZone;
  }
  if (country !== undefined) {
    if (country !== null && !/^[A-Z]{2}$/.test(country))
      throw invalid("country", "Write a country as two capital letters, such as ID.");
    wanted.country = country;
  }
  if (settings?.allowedEmailDomains !== undefined) {
    const domains = settings.allowedEmailDomains.map((domain) =>
      normalizeDomain(domain, "settings.allowedEmailDomains"),
    );
    wanted.settings = { allowedEmailDomains: [...new Set(domains)].toSorted() };
  }
  return wanted;
}

function invalid(path: string, message: string): DomainError {
  return new DomainError("INVALID_INPUT", message, { issues: [{ path, message }] });
}
