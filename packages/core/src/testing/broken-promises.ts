import { sql } from "drizzle-orm";
import { booksChecks } from "../books/index.ts";
import type { TestCore } from "./test-core.ts";

/** Of one organization, asked in one statement: `M03 <row>` for each row that breaks one of these promises at that moment. */
export async function brokenPromises(
  { database }: TestCore,
  ids: readonly string[],
  { organizationId, now }: { readonly organizationId: string; readonly now: Date },
): Promise<readonly string[]> {
  const within = (column: ReturnType<typeof sql>) => sql`${column} = ${organizationId}::uuid`;
  const questions = booksChecks
    .filter(({ id }) => ids.includes(id))
    .map(
      ({ id, rows }) => sql`select ${id} as promise, id::text, organization_id::text from (${rows({ now, within })}) b`,
    );
  const found = await database.drizzle.execute<{ line: string }>(sql`
    select concat_ws(' ', promise, id) as line from (${sql.join(questions, sql` union all `)}) broken
    where organization_id is null or organization_id = ${organizationId}`);
  return found.map(({ line }) => line);
}

/** `M03` to `M08` and the like. */
export const promises = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `M${String(from + index).padStart(2, "0")}`);
