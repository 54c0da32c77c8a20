import { instanceChanges } from "@sewa/db/schema";
import { and, desc, eq, lt } from "drizzle-orm";
import { describePlans } from "../catalog/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { type ChangeReason, changeReasons, type ChangeRow, type ChangeShape, effectsOf, shapesOf } from "./change.ts";
import type { ChangeEffects } from "./effects.ts";
import { getChangeRow } from "./lock-change.ts";

/** A change as its owner sees it. */
export interface ChangeView {
  readonly change: Omit<ChangeRow, "request" | "shapeBefore" | "shapeAfter" | "effects">;
  readonly before: ChangeShape & { readonly planName: string };
  readonly after: (ChangeShape & { readonly planName: string }) | null;
  /** Null while no worker has looked. */
  readonly effects: ChangeEffects | null;
  readonly message: string | null;
}

/** Newest first. */
export async function listChanges(
  ctx: CoreContext,
  input: PageInput & { readonly instanceId?: string | undefined },
): Promise<Page<ChangeView>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(instanceChanges)
      .where(
        and(
          eq(instanceChanges.organizationId, organizationOf(tx)),
          input.instanceId === undefined ? undefined : eq(instanceChanges.instanceId, input.instanceId),
          cursor === null ? undefined : lt(instanceChanges.id, cursor),
        ),
      )
      .orderBy(desc(instanceChanges.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return { ...page, items: await toViews(tx, page.items) };
  });
}

export async function getChange(ctx: CoreContext, changeId: string): Promise<ChangeView> {
  return ctx.transaction((tx) => toChangeView(tx, changeId));
}

/** Inside a transaction: what a verb answers with. NOT_FOUND for foreign and invented ids. */
export async function toChangeView(tx: Tx, changeId: string): Promise<ChangeView> {
  const [view] = await toViews(tx, [await getChangeRow(tx, changeId)]);
  assert(view !== undefined, "a row has a view");
  return view;
}

async function toViews(tx: Tx, rows: readonly ChangeRow[]): Promise<readonly ChangeView[]> {
  const planIds = rows.flatMap((row) => {
    const { before, after } = shapesOf(row);
    return [before.planId, ...(after === null ? [] : [after.planId])];
  });
  const plans = await describePlans(tx, [...new Set(planIds)]);
  const named = (shape: ChangeShape): ChangeShape & { readonly planName: string } => {
    const plan = plans.get(shape.planId);
    assert(plan !== undefined, "plans are never deleted");
    return { ...shape, planName: plan.planName };
  };
  return rows.map((row) => {
    const { before, after } = shapesOf(row);
    const { request: _request, shapeBefore: _before, shapeAfter: _after, effects: _effects, ...change } = row;
    return {
      change,
      before: named(before),
      after: after === null ? null : named(after),
      effects: effectsOf(row),
      message: row.reason === null ? null : changeReasons[row.reason as ChangeReason],
    };
  });
}
