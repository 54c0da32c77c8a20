import { events, organizationHeads } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { type AuditEntry, writeAudit } from "../audit/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { redactFields } from "../redact.ts";
import { type DomainEvent, eventTypes } from "./event.ts";

/** Channel of NOTIFY; the payload is the id of an organization, or of a user whose sessions changed. May be lost, so listeners also look on a slow timer. */
export const organizationChannel = "sewa_organization";

const pending = new WeakMap<Tx, DomainEvent[]>();
const touched = new WeakSet<Tx>();

/**
 * The one home of a business event: the row that customers replay, the audit row, and after commit the log line and
 * the counter. Rows are written as the last statements of the transaction, because the head's lock makes every other
 * transaction of the organization wait.
 */
export function record(tx: Tx, event: DomainEvent): void {
  const told = event.data === undefined ? event : { ...event, data: redactFields(event.data) };
  const list = pending.get(tx);
  if (list !== undefined) {
    list.push(told);
    return;
  }
  const first = [told];
  pending.set(tx, first);
  tx.beforeCommit.push(() => flush(tx, first));
  tx.afterCommit.push(() => {
    for (const done of first) tx.ctx.observer.event(toLogFields(tx, done));
  });
}

/** Wakes the organization's listeners although no event was written: a status row changed. */
export function notifyOrganization(tx: Tx): void {
  if (touched.has(tx)) return;
  touched.add(tx);
  tx.beforeCommit.push(() => notify(tx));
}

/** Wakes whoever watches the sessions of a user: they end wherever that user is at work, not in one organization. */
export function notifyUser(tx: Tx, userId: string): void {
  tx.beforeCommit.push(async () => {
    await tx.sql.execute(sql`select pg_notify(${organizationChannel}, ${userId})`);
  });
}

async function flush(tx: Tx, list: readonly DomainEvent[]): Promise<void> {
  const organizationId = organizationOf(tx);
  await writeAudit(tx, list.filter((event) => eventTypes[event.type].audited).map(toAuditEntry));
  const [head] = await tx.sql
    .update(organizationHeads)
    .set({ sequence: sql`${organizationHeads.sequence} + ${list.length}` })
    .where(eq(organizationHeads.organizationId, organizationId))
    .returning({ sequence: organizationHeads.sequence });
  assert(head !== undefined, "every organization has a head row");
  const before = head.sequence - list.length;
  await tx.sql.insert(events).values(
    list.map((event, index) => ({
      organizationId,
      sequence: before + index + 1,
      id: tx.ctx.ids.next(),
      type: event.type,
      orderId: event.orderId ?? null,
      subscriptionId: event.subscriptionId ?? null,
      instanceId: event.instanceId ?? null,
      actor: formatActor(tx.ctx.actor),
      data: event.data ?? {},
      occurredAt: tx.now,
    })),
  );
  if (!touched.has(tx)) {
    touched.add(tx);
    await notify(tx);
  }
}

async function notify(tx: Tx): Promise<void> {
  await tx.sql.execute(sql`select pg_notify(${organizationChannel}, ${organizationOf(tx)})`);
}

function toAuditEntry(event: DomainEvent): AuditEntry {
  return {
    action: event.type,
    subject: subjectOf(event),
    before: event.before,
    after: event.after ?? event.data,
    reason: event.reason ?? null,
  };
}

function subjectOf(event: DomainEvent): AuditEntry["subject"] {
  if (event.subject !== undefined) return event.subject;
  if (event.orderId !== undefined) return { type: "order", id: event.orderId };
  if (event.instanceId !== undefined && event.type.startsWith("instance."))
    return { type: "instance", id: event.instanceId };
  if (event.subscriptionId !== undefined) return { type: "subscription", id: event.subscriptionId };
  return event.instanceId === undefined ? null : { type: "instance", id: event.instanceId };
}

function toLogFields(tx: Tx, event: DomainEvent) {
  return {
    type: event.type,
    fields: {
      organizationId: tx.ctx.organizationId,
      orderId: event.orderId,
      subscriptionId: event.subscriptionId,
      instanceId: event.instanceId,
      requestId: tx.ctx.requestId,
      actor: formatActor(tx.ctx.actor),
      ...event.data,
    },
  };
}
