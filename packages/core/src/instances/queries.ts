import { instanceHolds, instances } from "@sewa/db/schema";
import { and, desc, eq, inArray, isNull, lt } from "drizzle-orm";
import { describePlans } from "../catalog/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { findLatestOperation, type OperationRow } from "../operations/index.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { conditionsOf, deriveAddress, type InstanceRow, podsOf } from "./instance.ts";
import type { Condition, ObservedPod } from "./observation.ts";
import { holdReasons, reasonSentences } from "./reasons.ts";

/** An instance as its customer sees it. */
export interface InstanceView {
  readonly instance: Omit<InstanceRow, "pods" | "conditions">;
  readonly pods: readonly ObservedPod[];
  readonly conditions: readonly Condition[];
  readonly url: string;
  /** The address answers: the owner account is claimed and the app runs. */
  readonly isOpen: boolean;
  readonly message: string | null;
  /** While a hold stands, that; else why it is not as desired. */
  readonly reason: string | null;
  readonly offeringSlug: string;
  readonly offeringName: string;
  readonly planName: string;
  /** The newest operation; its steps are what a page shows while something happens. */
  readonly operation: OperationRow | null;
}

/** Newest first. */
export async function listInstances(
  ctx: CoreContext,
  input: PageInput & { readonly includeRemoved?: boolean | undefined },
): Promise<Page<InstanceView>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(instances)
      .where(
        and(
          eq(instances.organizationId, organizationOf(tx)),
          cursor === null ? undefined : lt(instances.id, cursor),
          input.includeRemoved === true ? undefined : inArray(instances.desiredPhase, ["running", "stopped"]),
        ),
      )
      .orderBy(desc(instances.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return { ...page, items: await toViews(tx, page.items) };
  });
}

export async function getInstance(ctx: CoreContext, instanceId: string): Promise<InstanceView> {
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
    const [view] = await toViews(tx, rows);
    if (view === undefined) throw notFound("instance");
    return view;
  });
}

/** Inside a transaction of a domain above. The same NOT_FOUND for foreign, deleted and invented ids. */
export async function getInstanceRow(tx: Tx, instanceId: string): Promise<InstanceRow> {
  const [row] = await tx.sql
    .select()
    .from(instances)
    .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
  if (row === undefined) throw notFound("instance");
  return row;
}

/** Inside a transaction of a domain above: the instance of a subscription. */
export async function getInstanceOfSubscription(tx: Tx, subscriptionId: string): Promise<InstanceRow> {
  const [row] = await tx.sql
    .select()
    .from(instances)
    .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.subscriptionId, subscriptionId)));
  assert(row !== undefined, "every subscription has an instance");
  return row;
}

async function toViews(tx: Tx, rows: readonly InstanceRow[]): Promise<readonly InstanceView[]> {
  const plans = await describePlans(
    tx,
    rows.map(({ planId }) => planId),
  );
  const holds = await listHolds(tx, rows);
  const views: InstanceView[] = [];
  for (const instance of rows) {
    const plan = plans.get(instance.planId);
    assert(plan !== undefined, "plans are never deleted");
    views.push({
      instance,
      pods: podsOf(instance),
      conditions: conditionsOf(instance),
      url: deriveAddress(tx.ctx.config, instance.host),
      isOpen: instance.desiredPhase === "running" && instance.readyAt !== null && instance.observedPhase === "running",
      ...explain(instance, holds.get(instance.id)),
      offeringSlug: plan.offeringSlug,
      offeringName: plan.offeringName,
      planName: plan.planName,
      operation: await findLatestOperation(tx, instance.id),
    });
  }
  return views;
}

type Hold = Pick<typeof instanceHolds.$inferSelect, "kind" | "message">;

/** The one that was placed first, of each app. */
async function listHolds(tx: Tx, rows: readonly InstanceRow[]): Promise<ReadonlyMap<string, Hold>> {
  const ids = rows.flatMap(({ id, desiredPhase }) => (desiredPhase === "stopped" ? [id] : []));
  if (ids.length === 0) return new Map();
  const standing = await tx.sql
    .select({ instanceId: instanceHolds.instanceId, kind: instanceHolds.kind, message: instanceHolds.message })
    .from(instanceHolds)
    .where(and(inArray(instanceHolds.instanceId, ids), isNull(instanceHolds.liftedAt)))
    .orderBy(desc(instanceHolds.id));
  return new Map(standing.map((hold) => [hold.instanceId, hold]));
}

function explain(instance: InstanceRow, hold: Hold | undefined): Pick<InstanceView, "reason" | "message"> {
  if (hold === undefined) return { reason: instance.reason, message: instance.message ?? sentenceOf(instance.reason) };
  const { code, sentence } = holdReasons[hold.kind];
  return { reason: code, message: hold.message ?? sentence };
}

function sentenceOf(reason: string | null): string | null {
  return (reasonSentences as Readonly<Record<string, string>>)[reason ?? ""] ?? null;
}
