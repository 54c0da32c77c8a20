import { auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { formatActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";
import { redactValue } from "../redact.ts";

export interface AuditEntry {
  /** What was done, in the words of the event. */
  readonly action: string;
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Why, where a person gave a reason. */
  readonly reason?: string | null;
}

/**
 * Who did what to which, in the transaction that did it. Never hand in secrets: what is written stays. A trigger makes each
 * row a link of the organization's chain and locks its head for that: nothing may be locked afterwards.
 */
export async function writeAudit(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const organizationId = organizationOf(tx);
  await tx.sql
    .insert(auditEntries)
    .values(entries.map((entry) => ({ ...toRow(tx, entry), organizationId, occurredAt: tx.now })));
}

const pending = new WeakMap<Tx, ReturnType<typeof toRow>[]>();

/**
 * For what belongs to no customer: catalog, nodes, jobs. Written as the very last statement of the transaction, after the
 * organization's head, because the house has one chain and its head makes every other one of these wait.
 */
export function writeOperatorAudit(tx: Tx, entry: AuditEntry): void {
  const list = pending.get(tx);
  if (list !== undefined) {
    list.push(toRow(tx, entry));
    return;
  }
  const rows = [toRow(tx, entry)];
  pending.set(tx, rows);
  // From a hook, so that it stands behind whatever was registered after it.
  tx.beforeCommit.push(async () => {
    tx.beforeCommit.push(async () => {
      await tx.sql.insert(operatorAuditEntries).values(rows);
    });
    await Promise.resolve();
  });
}

function toRow(tx: Tx, entry: AuditEntry) {
  const { actor, requestId, client } = tx.ctx;
  return {
    id: tx.ctx.ids.next(),
    action: entry.action,
    actor: formatActor(actor),
    subjectType: entry.subject?.type ?? null,
    subjectId: entry.subject?.id ?? null,
    requestId,
    clientAddress: client?.address ?? null,
    userAgent: client?.userAgent ?? null,
    before: toJson(entry.before),
    after: toJson(entry.after),
    reason: entry.reason ?? null,
  };
}

/** Amounts are bigints, which JSON does not know; they are kept as text. What is a secret all the same is not kept. */
function toJson(value: unknown): unknown {
  if (value === undefined) return null;
  return JSON.parse(
    JSON.stringify(redactValue(value), (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item)),
  );
}
