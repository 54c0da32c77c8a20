import { type AnyColumn, and, desc, eq, lt, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgSelect } from "drizzle-orm/pg-core";
import type { CoreContext, Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { fromPublicId, type IdKind } from "../ids.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";

/** What operators may narrow every list by. */
export interface FindInput extends PageInput {
  /** The id of one, as people see it, or a part of what it is called; upper and lower case alike. */
  readonly search?: string | undefined;
}

/** The same, of what belongs to an organization. */
export interface FindOfOrganizationInput extends FindInput {
  readonly organizationId?: string | undefined;
}

/** A kind of thing in the house: how its rows are read, and by what people know them. */
export interface Shelf<Row extends { readonly id: string }, Q extends PgSelect> {
  readonly kind: IdKind;
  readonly id: PgColumn;
  /** Whose a thing is; null where it belongs to no organization, or to several. */
  readonly organizationId: PgColumn | null;
  readonly names: readonly AnyColumn[];
  readonly select: (tx: Tx) => Q;
  readonly complete: (tx: Tx, rows: Awaited<Q>) => Promise<readonly Row[]>;
}

/** Of a shelf whose rows are read whole by one statement. */
export function asTheyAre<Row>(_tx: Tx, rows: readonly Row[]): Promise<readonly Row[]> {
  return Promise.resolve(rows);
}

/** Newest first, across all organizations. */
export async function findOn<Row extends { readonly id: string }, Q extends PgSelect>(
  ctx: CoreContext,
  shelf: Shelf<Row, Q>,
  input: FindOfOrganizationInput,
  filter?: SQL,
): Promise<Page<Row>> {
  authorize(ctx.actor, "admin.directory.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const where = and(
      cursor === null ? undefined : lt(shelf.id, cursor),
      matches(shelf, input.search),
      shelf.organizationId === null || input.organizationId === undefined
        ? undefined
        : eq(shelf.organizationId, input.organizationId),
      filter,
    );
    const rows = (await shelf
      .select(tx)
      .where(where)
      .orderBy(desc(shelf.id))
      .limit(limit + 1)) as Awaited<Q>;
    return toPage(await shelf.complete(tx, rows), limit, ({ id }) => [id]);
  });
}

/** Throws NOT_FOUND. */
export async function getFrom<Row extends { readonly id: string }, Q extends PgSelect>(
  ctx: CoreContext,
  shelf: Shelf<Row, Q>,
  id: string,
): Promise<Row> {
  authorize(ctx.actor, "admin.directory.read");
  return ctx.transaction(async (tx) => {
    const [row] = await shelf.complete(tx, (await shelf.select(tx).where(eq(shelf.id, id))) as Awaited<Q>);
    if (row === undefined) throw notFound(shelf.kind);
    return row;
  });
}

function matches<Row extends { readonly id: string }, Q extends PgSelect>(
  { kind, id, names }: Shelf<Row, Q>,
  search: string | undefined,
): SQL | undefined {
  if (search === undefined || search === "") return undefined;
  const uuid = fromPublicId(kind, search);
  if (uuid !== null) return eq(id, uuid);
  // Not LIKE: what people type is no pattern.
  return or(...names.map((name) => sql`position(lower(${search}) in lower(${name})) > 0`)) ?? sql`false`;
}
