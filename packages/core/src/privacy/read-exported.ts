import { and, asc, eq, getTableColumns, sql } from "drizzle-orm";
import { getTableConfig, type PgColumn } from "drizzle-orm/pg-core";
import { isCustomersActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { isReasonOfHouse } from "../events/index.ts";
import { redactFields } from "../redact.ts";
import type { ExportedTable, Exporter } from "./exported-tables.ts";

/** A row of one table, as JSON has it: moments in ISO 8601 and whole numbers of any size as text. */
export type ExportedRow = Readonly<Record<string, unknown>>;

export interface ReadRow {
  readonly row: ExportedRow;
  /** Where to go on behind it: the values of its primary key, as text. */
  readonly place: readonly string[];
}

/** Rows in the order of their primary key, behind a place. */
export async function readExported(
  tx: Tx,
  exported: ExportedTable,
  exporter: Exporter,
  { after, limit }: { readonly after: readonly string[] | null; readonly limit: number },
): Promise<readonly ReadRow[]> {
  const which = exported.which(exporter);
  if (which === null) return [];
  const columns: Readonly<Record<string, PgColumn>> = getTableColumns(exported.table);
  const holder = columns[exported.key];
  assert(holder !== undefined, "an exported table says whose its rows are");
  const keys = primaryKeyOf(exported);
  const shown = Object.entries(columns).filter(([name]) => !exported.without.includes(name));
  const rows = await tx.sql
    .select({ ...Object.fromEntries(shown), place: sql<string>`json_build_array(${join(keys.map(asText))})::text` })
    .from(exported.table)
    .where(
      and(eq(holder, exported.of === "person" ? exporter.userId : organizationOf(tx)), which, isBehind(keys, after)),
    )
    .orderBy(...keys.map((key) => asc(key)))
    .limit(limit);
  return rows.map(({ place, ...row }) => ({ row: toRow(row), place: JSON.parse(place) as readonly string[] }));
}

export function primaryKeyOf({ table }: ExportedTable): readonly PgColumn[] {
  const { columns, primaryKeys } = getTableConfig(table);
  // Those of a key over several columns cannot be asked for their type: the table's own can.
  const together = new Set(primaryKeys.flatMap((key) => key.columns.map(({ name }) => name)));
  return columns.filter(({ primary, name }) => primary || together.has(name));
}

function isBehind(keys: readonly PgColumn[], after: readonly string[] | null) {
  if (after === null) return undefined;
  const place = after.map((value, index) => sql`${value}::${sql.raw(keys[index]?.getSQLType() ?? "text")}`);
  return sql`(${join(keys.map((key) => sql`${key}`))}) > (${join(place)})`;
}

const asText = (key: PgColumn) => sql`${key}::text`;
const join = (parts: readonly ReturnType<typeof asText>[]) => sql.join([...parts], sql`, `);

function toRow(row: Readonly<Record<string, unknown>>): ExportedRow {
  const { actor, action } = row;
  const isHouses = typeof actor === "string" && !isCustomersActor(actor);
  const isReasonHidden = typeof action === "string" && isReasonOfHouse(action);
  // From where the house works is nobody's business, and some of its reasons are not, as in `audit.list`.
  const shown = {
    ...row,
    ...(isHouses && "clientAddress" in row && { clientAddress: null, userAgent: null }),
    ...(isReasonHidden && { reason: null }),
  };
  // Beneath the list of columns: whatever is named like a secret in what a customer or an app has put in.
  return redactFields(JSON.parse(JSON.stringify(shown, toJson))) as ExportedRow;
}

/** Which operator it was stays in the house. */
function toJson(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" ? value.replace(/^(user:[^:]+:)?operator:.*/, "$1operator") : value;
}
