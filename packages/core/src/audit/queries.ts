import { auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { and, type AnyColumn, desc, eq, like, lt, or, type SQL, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/pg-core";
import { type CoreContext, organizationOf } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, readNumberCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";

/** An entry as people read it. */
export interface AuditRow {
  readonly id: string;
  /** Counts the entries of its chain. */
  readonly sequence: number;
  /** Null: about the house. */
  readonly organizationId: string | null;
  readonly action: string;
  readonly actor: string;
  readonly subjectType: string | null;
  readonly subjectId: string | null;
  readonly requestId: string | null;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string | null;
  /** On the organization's clock; of the house's entries the same as the next. */
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}

/** In one order, as a union of the two wants it. */
function columnsOf(
  source: typeof auditEntries | typeof operatorAuditEntries,
  own: {
    readonly organizationId: SQL;
    readonly occurredAt: typeof auditEntries.occurredAt | typeof operatorAuditEntries.recordedAt;
  },
) {
  return {
    id: source.id,
    sequence: source.sequence,
    organizationId: sql<string | null>`${own.organizationId}`.as("organization_id"),
    action: source.action,
    actor: source.actor,
    subjectType: source.subjectType,
    subjectId: source.subjectId,
    requestId: source.requestId,
    clientAddress: source.clientAddress,
    userAgent: source.userAgent,
    before: source.before,
    after: source.after,
    reason: source.reason,
    occurredAt: own.occurredAt,
    recordedAt: source.recordedAt,
  };
}

const ofOrganization = columnsOf(auditEntries, {
  organizationId: sql`${auditEntries.organizationId}`,
  occurredAt: auditEntries.occurredAt,
});
const ofHouse = columnsOf(operatorAuditEntries, {
  organizationId: sql`null::uuid`,
  occurredAt: operatorAuditEntries.recordedAt,
});

/** What was done in the bound organization, newest first. */
export async function listAuditEntries(ctx: CoreContext, input: PageInput): Promise<Page<AuditRow>> {
  authorize(ctx.actor, "audit.read");
  const cursor = readNumberCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select(ofOrganization)
      .from(auditEntries)
      .where(
        and(
          eq(auditEntries.organizationId, organizationOf(tx)),
          cursor === null ? undefined : lt(auditEntries.sequence, cursor),
        ),
      )
      .orderBy(desc(auditEntries.sequence))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.sequence]);
  });
}

export interface AuditSearch extends PageInput {
  readonly organizationId?: string | undefined;
  /** As it is kept: `user:<id>`, `operator:<id>`, `system:<process>`. */
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

/** What was done in all organizations and to the house, newest first; of one organization alone where it is named. */
export async function searchAudit(ctx: CoreContext, input: AuditSearch): Promise<Page<AuditRow>> {
  authorize(ctx.actor, "admin.audit.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const { organizationId, actor, action } = input;
  const fits = (source: typeof auditEntries | typeof operatorAuditEntries) =>
    and(
      actor === undefined ? undefined : or(eq(source.actor, actor), actedAs(source.actor, actor)),
      action === undefined ? undefined : eq(source.action, action),
      cursor === null ? undefined : lt(source.id, cursor),
    );
  const bound = organizationId === undefined ? ctx : ctx.forOrganization(organizationId);
  return bound.transaction(async ({ sql: db }) => {
    const own = organizationId === undefined ? undefined : eq(auditEntries.organizationId, organizationId);
    const organizations = db
      .select(ofOrganization)
      .from(auditEntries)
      .where(and(own, fits(auditEntries)))
      .orderBy(desc(auditEntries.id))
      .limit(limit + 1);
    if (organizationId !== undefined) return toPage(await organizations, limit, ({ id }) => [id]);
    const house = db
      .select(ofHouse)
      .from(operatorAuditEntries)
      .where(fits(operatorAuditEntries))
      .orderBy(desc(operatorAuditEntries.id))
      .limit(limit + 1);
    const rows = await unionAll(organizations, house)
      .orderBy(desc(sql`id`))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  });
}

/** What an operator did as a customer is the operator's as well. */
function actedAs(column: AnyColumn, actor: string): SQL | undefined {
  return actor.startsWith("operator:") ? like(column, `user:%:${actor}`) : undefined;
}
