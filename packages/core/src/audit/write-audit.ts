import { auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { formatActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";

export interface AuditEntry {
  /** What was done, in the words of the event. */
  readonly action: string;
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Why, where a person gave a reason. */
  readonly reason?: string | null;
}

/** Who did what to which, in the transaction that did it. Never hand in secrets: what is written stays. */
export async function writeAudit(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const organizationId = organizationOf(tx);
  await tx.sql
    .insert(auditEntries)
    .values(entries.map((entry) => ({ ...toRow(tx, entry), organizationId, occurredAt: tx.now })));
}

/** For what belongs to no customer: catalog, nodes, jobs. */
export async function writeOperatorAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx.sql.insert(operatorAuditEntries).values(toRow(tx, entry));
}

function toRow(tx: Tx, entry: AuditEntry) {
  return {
    id: tx.ctx.ids.next(),
    action: entry.action,
    actor: formatActor(tx.ctx.actor),
    subjectType: entry.subject?.type ?? null,
    subjectId: entry.subject?.id ?? null,
    requestId: tx.ctx.requestId,
    before: toJson(entry.before),
    after: toJson(entry.after),
    reason: entry.reason ?? null,
  };
}

/** Amounts are bigints, which JSON does not know; they are kept as text. */
function toJson(value: unknown): unknown {
  if (value === undefined) return null;
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item)));
}
