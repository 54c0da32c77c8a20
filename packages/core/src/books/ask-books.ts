import type { Transaction } from "@sewa/db";
import { type SQL, sql } from "drizzle-orm";
import type { BooksCheck, BooksPromise } from "./check.ts";

/** A row that breaks a promise. */
export interface Breach {
  readonly check: BooksPromise;
  readonly rowId: string;
  /** Whose books it is about; null for the house's own. */
  readonly organizationId: string | null;
}

/** More rows of one organization say nothing more. */
const rowsPerOrganization = 10;
/** So many of one check are a defect of the house, and not of so many customers. */
const rowsPerCheck = 5_000;

export interface Answer {
  readonly breaches: readonly Breach[];
  /** Checks that found more than was read: what they do not name may be broken too. */
  readonly cut: ReadonlySet<BooksPromise>;
}

/** Asks each of the checks about these organizations, or about all (null). The caller's transaction is one picture. */
export async function askBooks(
  reader: Pick<Transaction, "execute">,
  checks: readonly BooksCheck[],
  { now, organizationIds }: { readonly now: Date; readonly organizationIds: readonly string[] | null },
): Promise<Answer> {
  const within = (column: SQL): SQL =>
    organizationIds === null ? sql`true` : sql`${column} = ${anyOf(organizationIds)}`;
  const breaches: Breach[] = [];
  const cut = new Set<BooksPromise>();
  for (const check of checks) {
    const rows = await reader.execute<{ id: string; organization_id: string | null }>(sql`
      select id, organization_id from (
        select id::text, organization_id::text, row_number() over (partition by organization_id order by id) as position
        from (${check.rows({ now, within })}) broken) ranked
      where position <= ${rowsPerOrganization} order by organization_id, id limit ${rowsPerCheck + 1}`);
    if (rows.length > rowsPerCheck) cut.add(check);
    for (const { id: rowId, organization_id: organizationId } of rows.slice(0, rowsPerCheck)) {
      breaches.push({ check, rowId, organizationId });
    }
  }
  return { breaches, cut };
}

/** One parameter, however many ids there are. */
export function anyOf(ids: readonly string[]): SQL {
  return sql`any(string_to_array(${ids.join(",")}, ',')::uuid[])`;
}
