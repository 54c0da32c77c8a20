import { databaseErrorOf } from "@sewa/db";
import { belonging } from "@sewa/db/schema";
import { getTableName, sql } from "drizzle-orm";
import { z } from "zod";
import { authorize, door, takeAttempts } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { type Page, type PageInput, pageLimit, readCursorOf, toPage } from "../pages.ts";
import type { MemberRole } from "../roles.ts";
import { type Exporter, exportedTables } from "./exported-tables.ts";
import { type ExportedRow, primaryKeyOf, readExported } from "./read-exported.ts";

export interface ExportedRecord {
  readonly table: string;
  /** The organization in which it was read. */
  readonly organizationId: string;
  readonly row: ExportedRow;
}

/** The organization before, the one that is read, the table, and the place in it; the last two are empty at its beginning. */
const place = z.tuple([z.uuid().or(z.literal("")), z.uuid().or(z.literal("")), z.string(), z.string()]);
type Place = z.infer<typeof place>;
const keyValues = z.array(z.string()).min(1).max(4);

interface Readable {
  readonly id: string;
  readonly role: MemberRole;
}

/**
 * All that is kept about the user, and about each organization that they own; of the others what they did there. A page is of one
 * organization and may be short or empty while `nextCursor` says that there is more: memory holds a page and no more.
 * Throws RATE_LIMITED, and INVALID_INPUT for a cursor that no page gave out.
 */
export async function exportData(
  ctx: CoreContext,
  input: PageInput & { readonly userId: string },
): Promise<Page<ExportedRecord>> {
  authorize(ctx.actor, "account.read");
  const { userId } = input;
  const [before, current, tableName, keys] = readCursorOf(input.cursor, place) ?? ["", "", "", ""];
  await takeAttempts(ctx, [{ limit: input.cursor === undefined ? "export.user" : "export.page", of: [userId] }]);
  if (input.cursor === undefined) await noteExport(ctx, userId);
  const [organization, next] = await readMemberships(ctx, userId, before);
  if (organization === undefined) return { items: [], nextCursor: null };
  // Whoever was removed meanwhile reads on at the beginning of what comes next.
  const from = organization.id === current ? { tableName, keys } : { tableName: "", keys: "" };
  const page = await readOrganization(ctx, organization, { ...from, userId, before, limit: pageLimit(input) });
  if (page.nextCursor !== null || next === undefined) return page;
  return { ...page, nextCursor: cursorOf([organization.id, "", "", ""]) };
}

async function noteExport(ctx: CoreContext, userId: string): Promise<void> {
  await ctx.transaction(async (tx) => {
    record(tx, { type: "user.dataExported", subject: { type: "user", id: userId } });
    await Promise.resolve();
  });
}

/** The first two behind an organization: that which is read, and whether there is another one. */
function readMemberships(ctx: CoreContext, userId: string, before: string): Promise<readonly Readable[]> {
  return ctx.db.drizzle
    .select({ id: belonging.id, role: belonging.role })
    .from(door(sql`memberships_of(${userId}, ${before === "" ? null : before}, 2)`, "belonging"));
}

async function readOrganization(
  ctx: CoreContext,
  { id, role }: Readable,
  from: {
    readonly userId: string;
    readonly before: string;
    readonly tableName: string;
    readonly keys: string;
    readonly limit: number;
  },
): Promise<Page<ExportedRecord>> {
  const { userId, before, limit } = from;
  const exporter: Exporter = { userId, isOwner: role === "owner" };
  const after = from.keys === "" ? null : readKeys(from.keys);
  const first = from.tableName === "" ? 0 : exportedTables.findIndex((each) => nameOf(each) === from.tableName);
  const start = exportedTables[first];
  if (start === undefined || (after !== null && after.length !== primaryKeyOf(start).length)) throw unknownCursor();
  const read = async (tx: Tx) => {
    const rows: { readonly record: ExportedRecord; readonly keys: string }[] = [];
    for (const [index, exported] of exportedTables.slice(first).entries()) {
      if (rows.length > limit) break;
      if (exported.of === "person" && before !== "") continue;
      const behind = { after: index === 0 ? after : null, limit: limit + 1 - rows.length };
      for (const { row, place: values } of await readExported(tx, exported, exporter, behind)) {
        rows.push({ record: { table: nameOf(exported), organizationId: id, row }, keys: JSON.stringify(values) });
      }
    }
    return rows;
  };
  const bound = ctx.as(userActor(userId, role)).forOrganization(id);
  const rows = await bound.transaction(read).catch((error: unknown) => {
    // Only the cursor is somebody else's text here: what PostgreSQL cannot read as a value was no place.
    throw databaseErrorOf(error)?.code.startsWith("22") === true ? unknownCursor() : error;
  });
  const { items, nextCursor } = toPage(rows, limit, ({ record: last, keys }) => [before, id, last.table, keys]);
  return { items: items.map((item) => item.record), nextCursor };
}

function nameOf({ table }: (typeof exportedTables)[number]): string {
  return getTableName(table);
}

function readKeys(text: string): readonly string[] {
  try {
    return keyValues.parse(JSON.parse(text));
  } catch {
    throw unknownCursor();
  }
}

function cursorOf(value: Place): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function unknownCursor(): DomainError {
  const issues = [{ path: "cursor", message: "Unknown cursor." }];
  return new DomainError("INVALID_INPUT", "The cursor is not one that this export gave out.", { issues });
}
