import { inventoryFindings } from "@sewa/db/schema";
import { eq, isNull } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type Finding, findingIdentity, isOrphan } from "./finding.ts";

export type FindingRow = typeof inventoryFindings.$inferSelect;

/** Sightings that are nearer to each other are one; an orphan is told about once it is so old. */
export const sightingMs = 15 * minuteMs;

export interface RecordedFinding {
  readonly finding: Finding;
  readonly row: FindingRow;
  /** People are told of it with this audit, and were not before. */
  readonly isNewlyReported: boolean;
}

export interface Look {
  readonly findings: readonly Finding[];
  /** Everything could be read. Otherwise nothing is resolved, and no sighting counts. */
  readonly isWhole: boolean;
  /** Instances of which the look says nothing; what was found about them stands. */
  readonly unjudged: ReadonlySet<string>;
}

/** Writes down what one look found: new findings are opened, known ones are seen again, those that are gone are resolved. */
export async function recordFindings(
  ctx: CoreContext,
  { findings, isWhole, unjudged }: Look,
): Promise<{ readonly recorded: readonly RecordedFinding[]; readonly resolved: number }> {
  return ctx.transaction(async (tx) => {
    const open = await tx.sql
      .select()
      .from(inventoryFindings)
      .where(isNull(inventoryFindings.resolvedAt))
      .for("update");
    const known = new Map(open.map((row) => [row.identity, row]));
    const recorded: RecordedFinding[] = [];
    for (const finding of new Map(findings.map((found) => [findingIdentity(found), found])).values()) {
      const before = known.get(findingIdentity(finding));
      known.delete(findingIdentity(finding));
      const row = before === undefined ? await insert(tx, finding, isWhole) : await see(tx, before, finding, isWhole);
      recorded.push({
        finding,
        row,
        isNewlyReported: row.reportedAt !== null && (before?.reportedAt ?? null) === null,
      });
    }
    if (!isWhole) return { recorded, resolved: 0 };
    const gone = [...known.values()].filter(({ instanceId }) => instanceId === null || !unjudged.has(instanceId));
    for (const { id } of gone) await update(tx, id, { resolvedAt: ctx.clock.now() });
    return { recorded, resolved: gone.length };
  });
}

async function insert(tx: Tx, finding: Finding, isWhole: boolean): Promise<FindingRow> {
  const now = tx.ctx.clock.now();
  const [row] = await tx.sql
    .insert(inventoryFindings)
    .values({
      id: tx.ctx.ids.next(),
      identity: findingIdentity(finding),
      kind: finding.kind,
      subjectKind: finding.subject.kind,
      subjectNamespace: finding.subject.namespace,
      subjectName: finding.subject.name,
      subjectUid: finding.subject.uid,
      ...facts(finding),
      firstSeenAt: now,
      lastSeenAt: now,
      sightings: isWhole ? 1 : 0,
      sightedAt: now,
      reportedAt: isOrphan(finding.kind) ? null : now,
      action: "none",
    })
    .returning();
  assert(row !== undefined, "an inserted finding is returned");
  return row;
}

async function see(tx: Tx, before: FindingRow, finding: Finding, isWhole: boolean): Promise<FindingRow> {
  const now = tx.ctx.clock.now();
  const counts = isWhole && (before.sightings === 0 || now >= addMs(before.sightedAt, sightingMs));
  const isDue = now >= addMs(before.firstSeenAt, sightingMs);
  return update(tx, before.id, {
    ...facts(finding),
    lastSeenAt: now,
    ...(counts ? { sightings: before.sightings + 1, sightedAt: now } : {}),
    reportedAt: before.reportedAt ?? (isDue || !isOrphan(finding.kind) ? now : null),
  });
}

async function update(
  tx: Tx,
  findingId: string,
  values: Partial<typeof inventoryFindings.$inferInsert>,
): Promise<FindingRow> {
  const [row] = await tx.sql
    .update(inventoryFindings)
    .set(values)
    .where(eq(inventoryFindings.id, findingId))
    .returning();
  assert(row !== undefined, "the locked finding is still there");
  return row;
}

function facts(finding: Finding): Partial<typeof inventoryFindings.$inferInsert> & {
  readonly severity: Finding["severity"];
  readonly details: Record<string, unknown>;
} {
  const { severity, organizationId, subscriptionId, instanceId, details, costPerDay, requests } = finding;
  return {
    severity,
    organizationId,
    subscriptionId,
    instanceId,
    details: { ...details },
    costMinor: costPerDay?.amountMinor ?? null,
    currency: costPerDay?.currency ?? null,
    requestedCpuMillis: requests === null ? null : storable(requests.cpuMillis),
    requestedMemoryBytes: requests === null ? null : storable(requests.memoryBytes),
    requestedStorageBytes: requests === null ? null : storable(requests.storageBytes),
  };
}

/** Anybody may ask for exbibytes in an object with our label. The number is for people, and no reason for an audit to fail. */
function storable(amount: number): number {
  return Math.min(Math.ceil(amount), Number.MAX_SAFE_INTEGER);
}
