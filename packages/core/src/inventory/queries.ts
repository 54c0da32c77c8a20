import { inventoryFindings } from "@sewa/db/schema";
import { and, count, desc, eq, isNotNull, isNull, lt } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notFound } from "../errors.ts";
import type { Money } from "../money.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import type { InventoryAuditRow } from "./audits.ts";
import { findFinishedAudit, getAudit } from "./audits.ts";
import type { FindingDetails, FindingKind } from "./finding.ts";
import type { FindingRow } from "./record-findings.ts";

export interface FindingFilter {
  readonly status?: "open" | "resolved" | undefined;
  readonly kind?: FindingKind | undefined;
}

/** Newest first; open ones unless told. */
export async function listFindings(ctx: CoreContext, input: PageInput & FindingFilter): Promise<Page<FindingRow>> {
  authorize(ctx.actor, "admin.inventory.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const { resolvedAt } = inventoryFindings;
  const rows = await ctx.transaction((tx) =>
    tx.sql
      .select()
      .from(inventoryFindings)
      .where(
        and(
          input.status === "resolved" ? isNotNull(resolvedAt) : isNull(resolvedAt),
          input.kind === undefined ? undefined : eq(inventoryFindings.kind, input.kind),
          cursor === null ? undefined : lt(inventoryFindings.id, cursor),
        ),
      )
      .orderBy(desc(inventoryFindings.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => [row.id]);
}

export async function getFinding(ctx: CoreContext, findingId: string): Promise<FindingRow> {
  authorize(ctx.actor, "admin.inventory.read");
  const [row] = await ctx.transaction((tx) =>
    tx.sql.select().from(inventoryFindings).where(eq(inventoryFindings.id, findingId)),
  );
  if (row === undefined) throw notFound("finding");
  return row;
}

export interface InventoryReport {
  readonly audit: InventoryAuditRow | null;
  readonly openFindings: number;
  /** Open findings of which nobody can say what they cost. */
  readonly withoutPrice: number;
  /** By currency. An app with several findings counts once: its price is what is at stake. */
  readonly costPerDay: readonly Money[];
}

/** Where the house stands now, and one audit: the one that is asked for, or the last that has finished. */
export async function getInventoryReport(ctx: CoreContext, auditId?: string): Promise<InventoryReport> {
  authorize(ctx.actor, "admin.inventory.read");
  const audit = auditId === undefined ? await findFinishedAudit(ctx) : await getAudit(ctx, auditId);
  const open = await ctx.transaction((tx) =>
    tx.sql
      .select({
        id: inventoryFindings.id,
        instanceId: inventoryFindings.instanceId,
        amountMinor: inventoryFindings.costMinor,
        currency: inventoryFindings.currency,
      })
      .from(inventoryFindings)
      .where(isNull(inventoryFindings.resolvedAt)),
  );
  const priced = open.filter(({ amountMinor }) => amountMinor !== null);
  const totals = new Map<string, bigint>();
  for (const { amountMinor, currency } of new Map(priced.map((row) => [row.instanceId ?? row.id, row])).values())
    totals.set(currency ?? "", (totals.get(currency ?? "") ?? 0n) + (amountMinor ?? 0n));
  return {
    audit,
    openFindings: open.length,
    withoutPrice: open.length - priced.length,
    costPerDay: [...totals].map(([currency, amountMinor]) => ({ amountMinor, currency })),
  };
}

/** Open findings that people are told of, by kind: for metrics, and so for alerts. */
export async function countReportedFindings(ctx: CoreContext): Promise<ReadonlyMap<string, number>> {
  const rows = await ctx.db.drizzle
    .select({ kind: inventoryFindings.kind, findings: count() })
    .from(inventoryFindings)
    .where(and(isNull(inventoryFindings.resolvedAt), isNotNull(inventoryFindings.reportedAt)))
    .groupBy(inventoryFindings.kind);
  return new Map(rows.map(({ kind, findings }) => [kind, findings]));
}

/** The column is written by `recordFindings` only, from a typed finding. */
export function detailsOf(row: Pick<FindingRow, "details">): FindingDetails {
  return row.details as FindingDetails;
}
