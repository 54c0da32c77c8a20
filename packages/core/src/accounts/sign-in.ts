import { type SQL, sql, Subquery } from "drizzle-orm";

/**
 * A door through the fence, such as `sign_in_by_email(…)`, to select the columns of the view from that is named (`signIn` unless
 * told). No organization has to be known.
 */
export function door<Name extends string = "sign_in">(call: SQL, view: Name = "sign_in" as Name): Subquery<Name> {
  return new Subquery(sql`select * from ${call}`, {}, view);
}
