import { events, organizationHeads } from "@sewa/db/schema";
import { and, asc, desc, eq, gt, lt, sql } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import type { EventType } from "./event.ts";
import { type Page, type PageInput, pageLimit, readNumberCursor, toPage } from "../pages.ts";

export type EventRow = typeof events.$inferSelect;

/** Newest first. */
export async function listEvents(
  ctx: CoreContext,
  input: PageInput & { readonly instanceId?: string },
): Promise<Page<EventRow>> {
  const cursor = readNumberCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(events)
      .where(
        and(
          eq(events.organizationId, organizationOf(tx)),
          input.instanceId === undefined ? undefined : eq(events.instanceId, input.instanceId),
          cursor === null ? undefined : lt(events.sequence, cursor),
        ),
      )
      .orderBy(desc(events.sequence))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.sequence]);
  });
}

/** What came after `sequence`, oldest first, at most `limit`. */
export async function listEventsAfter(
  ctx: CoreContext,
  input: { readonly sequence: number; readonly limit: number; readonly instanceId?: string },
): Promise<readonly EventRow[]> {
  return ctx.transaction((tx) =>
    tx.sql
      .select()
      .from(events)
      .where(
        and(
          eq(events.organizationId, organizationOf(tx)),
          gt(events.sequence, input.sequence),
          input.instanceId === undefined ? undefined : eq(events.instanceId, input.instanceId),
        ),
      )
      .orderBy(asc(events.sequence))
      .limit(input.limit),
  );
}

/** The newest events of one type about an instance, newest first, with their age by the database's clock. */
export async function listLastEvents(
  tx: Tx,
  input: { readonly instanceId: string; readonly type: EventType; readonly limit: number },
): Promise<readonly { readonly data: EventRow["data"]; readonly ageSeconds: number }[]> {
  return tx.sql
    .select({ data: events.data, ageSeconds: sql<number>`extract(epoch from now() - ${events.recordedAt})::float8` })
    .from(events)
    .where(
      and(
        eq(events.organizationId, organizationOf(tx)),
        eq(events.instanceId, input.instanceId),
        eq(events.type, input.type),
      ),
    )
    .orderBy(desc(events.sequence))
    .limit(input.limit);
}

/** Last sequence that was given out, and the oldest one that is still kept (0 when there is none). */
export async function readEventBounds(ctx: CoreContext): Promise<{ readonly head: number; readonly oldest: number }> {
  return ctx.transaction(async (tx) => {
    const organizationId = organizationOf(tx);
    const [head] = await tx.sql
      .select({ sequence: organizationHeads.sequence })
      .from(organizationHeads)
      .where(eq(organizationHeads.organizationId, organizationId));
    const [oldest] = await tx.sql
      .select({ sequence: events.sequence })
      .from(events)
      .where(eq(events.organizationId, organizationId))
      .orderBy(asc(events.sequence))
      .limit(1);
    return { head: head?.sequence ?? 0, oldest: oldest?.sequence ?? 0 };
  });
}

/** The head row is made with its organization. */
export async function createOrganizationHead(tx: Tx, organizationId: string): Promise<void> {
  await tx.sql.insert(organizationHeads).values({ organizationId });
}
