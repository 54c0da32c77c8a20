import { auditEntries, operatorAuditEntries } from "@sewa/db/schema";
import { and, eq, isNotNull, or } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { writeOperatorAudit } from "./write-audit.ts";

const noClient = { clientAddress: null, userAgent: null, clientSalt: null };
const noDetails = { before: null, after: null, reason: null, detailsSalt: null };

/**
 * Erases what the audit knows of a person beside what they did: from where, in every entry that they made, and the details of
 * entries about them. Who, what and when stays, and so does the chain. `entries`: how many lost something; none the second time.
 */
export async function forgetPerson(
  ctx: CoreContext,
  { userId, reason }: { readonly userId: string; readonly reason: string },
): Promise<{ readonly entries: number }> {
  authorize(ctx.actor, "admin.audit.erase");
  return ctx.transaction(async (tx) => {
    let entries = 0;
    for (const source of [auditEntries, operatorAuditEntries]) {
      const isActor = or(
        eq(source.actor, formatActor({ type: "user", userId, role: "owner" })),
        eq(source.actor, formatActor({ type: "operator", userId })),
      );
      const isSubject = and(eq(source.subjectType, "user"), eq(source.subjectId, userId));
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
    return { entries };
  });
}
