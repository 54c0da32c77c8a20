import { operations } from "@sewa/db/schema";
import { and, desc, eq, inArray, lt, lte } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { OperationRow } from "./write-operation.ts";

/** Newest first. */
export async function listOperations(
  ctx: CoreContext,
  input: PageInput & { readonly instanceId?: string | undefined },
): Promise<Page<OperationRow>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(operations)
      .where(
        and(
          eq(operations.organizationId, organizationOf(tx)),
          input.instanceId === undefined ? undefined : eq(operations.instanceId, input.instanceId),
          cursor === null ? undefined : lt(operations.id, cursor),
        ),
      )
      .orderBy(desc(operations.id))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.id]);
  });
}

export async function getOperation(ctx: CoreContext, operationId: string): Promise<OperationRow> {
  return ctx.transaction(async (tx) => {
    const [row] = await tx.sql
      .select()
      .from(operations)
      .where(and(eq(operations.organizationId, organizationOf(tx)), eq(operations.id, operationId)));
    if (row === undefined) throw notFound("operation");
    return row;
  });
}

/** The newest operation of each instance: what its page shows. */
export async function findLatestOperation(tx: Tx, instanceId: string): Promise<OperationRow | null> {
  const [row] = await tx.sql
    .select()
    .from(operations)
    .where(and(eq(operations.organizationId, organizationOf(tx)), eq(operations.instanceId, instanceId)))
    .orderBy(desc(operations.id))
    .limit(1);
  return row ?? null;
}

/** Operations of all organizations that should have ended by now. For the sweep. */
export async function listOverdueOperations(
  ctx: CoreContext,
  limit: number,
): Promise<readonly { readonly id: string; readonly organizationId: string; readonly instanceId: string }[]> {
  return ctx.db.drizzle
    .select({ id: operations.id, organizationId: operations.organizationId, instanceId: operations.instanceId })
    .from(operations)
    .where(and(inArray(operations.status, ["queued", "running"]), lte(operations.deadlineAt, ctx.clock.now())))
    .limit(limit);
}
