import { paymentIntents } from "@sewa/db/schema";
import { and, desc, eq, lt } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { IntentRow } from "./intent.ts";
import { getIntent } from "./intent-store.ts";

export async function getPayment(ctx: CoreContext, intentId: string): Promise<IntentRow> {
  return ctx.transaction((tx) => getIntent(tx, intentId));
}

/** Newest first, whatever became of them. */
export async function listPayments(
  ctx: CoreContext,
  input: PageInput & { readonly invoiceId?: string | undefined },
): Promise<Page<IntentRow>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(paymentIntents)
      .where(
        and(
          eq(paymentIntents.organizationId, organizationOf(tx)),
          input.invoiceId === undefined ? undefined : eq(paymentIntents.invoiceId, input.invoiceId),
          cursor === null ? undefined : lt(paymentIntents.id, cursor),
        ),
      )
      .orderBy(desc(paymentIntents.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  });
}
