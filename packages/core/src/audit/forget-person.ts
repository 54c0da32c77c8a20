import { auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { and, eq, inArray, isNotNull, like, or } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import type { CoreContext, Tx } from "../context.ts";
import { authorize } from "../permissions.ts";
import { writeOperatorAudit } from "./write-audit.ts";

const noClient = { clientAddress: null, userAgent: null, clientSalt: null };
const noDetails = { before: null, after: null, reason: null, detailsSalt: null };

export interface Forgotten {
  readonly userId: string;
  /** Things whose entries tell of the person as well, by their type; none unless told. */
  readonly about?: Readonly<Record<string, readonly string[]>>;
  /** Organizations that were theirs alone: what these were called was often their name. */
  readonly organizationIds?: readonly string[];
}

/**
 * Erases what the audit knows of a person beside what they did: from where, in every entry that they made, and the details of
 * entries about them. Who, what and when stays, and so does the chain. `entries`: how many lost something; none the second time.
 */
export async function forgetPerson(
  ctx: CoreContext,
  { userId, reason }: { readonly userId: string; readonly reason: string },
): Promise<{ readonly entries: number }> {
  authorize(ctx.actor, "admin.audit.erase");
  return ctx.transaction(async (tx) => ({ entries: await forgetInAudit(tx, { userId }, reason) }));
}

/** The same within a transaction of the worker's role. Answers how many entries lost something. */
export async function forgetInAudit(tx: Tx, forgotten: Forgotten, reason: string): Promise<number> {
  const { userId, about = {}, organizationIds = [] } = forgotten;
  let entries = 0;
  for (const source of [auditEntries, operatorAuditEntries]) {
    const user = formatActor({ type: "user", userId, role: "owner" });
    const isActor = or(
      eq(source.actor, user),
      like(source.actor, `${user}:token:%`),
      eq(source.actor, formatActor({ type: "operator", userId })),
    );
    const isSubject = or(
      ...Object.entries({ ...about, user: [userId] }).map(([type, ids]) =>
        and(eq(source.subjectType, type), inArray(source.subjectId, [...ids])),
      ),
      source === auditEntries
        ? and(inArray(auditEntries.organizationId, [...organizationIds]), like(auditEntries.action, "organization.%"))
        : undefined,
    );
    const clients = await tx.sql
      .update(source)
      .set(noClient)
      .where(and(or(isActor, isSubject), isNotNull(source.clientSalt)))
      .returning({ id: source.id });
    const details = await tx.sql
      .update(source)
      .set(noDetails)
      .where(and(isSubject, isNotNull(source.detailsSalt)))
      .returning({ id: source.id });
    entries += new Set([...clients, ...details].map(({ id }) => id)).size;
  }
  if (entries > 0)
    writeOperatorAudit(tx, {
      action: "audit.personForgotten",
      subject: { type: "person", id: userId },
      after: { entries },
      reason,
    });
  return entries;
}
