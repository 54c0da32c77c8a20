import { databaseErrorOf } from "@sewa/db";
import { DomainError } from "../errors.ts";

export const minSlugCharacters = 3;
export const maxSlugCharacters = 40;

const label = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** What a name in an address must not be taken for: parts of the house, of mail, and words of web servers. */
const reserved = new Set(
  [
    "about abuse account accounts admin administrator api app apps assets auth billing blog cdn catalog console contact",
    "dashboard docs domain email ftp help home hostmaster imap internal invitations invoice invoices legal localhost login",
    "logout mail members metrics mx new ns1 ns2 operator operators organization organizations payment payments pop portal",
    "postmaster privacy public register root security settings sewa signup smtp static status subscriptions support",
    "system test trpc undefined null webhooks webmaster www",
  ].flatMap((line) => line.split(" ")),
);

/** Lower-case letters, digits and single hyphens, as a DNS label. Throws INVALID_INPUT. */
export function checkSlug(slug: string): string {
  const fits = slug.length >= minSlugCharacters && slug.length <= maxSlugCharacters && label.test(slug);
  if (!fits) {
    throw refused(
      "INVALID_INPUT",
      "Use 3 to 40 lower-case letters, digits and single hyphens, and begin with a letter.",
    );
  }
  if (reserved.has(slug)) throw refused("INVALID_INPUT", "This name is kept for the house. Choose another one.");
  return slug;
}

/** What `work` throws, in words where the cause is that another organization has the slug. */
export async function refuseTakenSlug<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (databaseErrorOf(error)?.constraint !== "organizations_slug_key") throw error;
    throw refused("CONFLICT", "This name is taken. Choose another one.");
  }
}

function refused(code: "INVALID_INPUT" | "CONFLICT", message: string): DomainError {
  return new DomainError(code, message, { issues: [{ path: "slug", message }] });
}
