import { instanceHolds, instances, organizations } from "@sewa/db/schema";
import { and, asc, eq, inArray, isNull } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { HoldKind } from "../instances/index.ts";
import type { Page } from "../pages.ts";
import { type FindOfOrganizationInput, findOn, getFrom } from "./find.ts";

type InstanceRow = typeof instances.$inferSelect;
type Phase = InstanceRow["observedPhase"];

/** An app as operators see it. */
export interface InstanceEntry {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
  readonly subscriptionId: string;
  readonly name: string;
  /** One label under the domain of the apps. */
  readonly host: string;
  readonly desiredPhase: InstanceRow["desiredPhase"];
  readonly observedPhase: Phase;
  readonly reason: string | null;
  readonly nodeName: string | null;
  readonly observedAt: Date | null;
  readonly removedAt: Date | null;
  readonly createdAt: Date;
  /** What keeps it stopped whatever its customer asks for. */
  readonly holds: readonly {
    readonly kind: HoldKind;
    readonly reason: string;
    readonly message: string | null;
    readonly placedAt: Date;
  }[];
}

export interface FindInstancesInput extends FindOfOrganizationInput {
  readonly observedPhase?: Phase | undefined;
}

const shelf = {
  kind: "instance",
  id: instances.id,
  organizationId: instances.organizationId,
  names: [instances.name, instances.host, organizations.name],
  select: (tx: Tx) =>
    tx.sql
      .select({
        id: instances.id,
        organizationId: instances.organizationId,
        organizationName: organizations.name,
        subscriptionId: instances.subscriptionId,
        name: instances.name,
        host: instances.host,
        desiredPhase: instances.desiredPhase,
        observedPhase: instances.observedPhase,
        reason: instances.reason,
        nodeName: instances.nodeName,
        observedAt: instances.observedAt,
        removedAt: instances.removedAt,
        createdAt: instances.createdAt,
      })
      .from(instances)
      .innerJoin(organizations, eq(organizations.id, instances.organizationId))
      .$dynamic(),
  async complete(tx: Tx, rows: readonly Omit<InstanceEntry, "holds">[]): Promise<readonly InstanceEntry[]> {
    const ids = rows.map(({ id }) => id);
    const standing = await tx.sql
      .select()
      .from(instanceHolds)
      .where(and(inArray(instanceHolds.instanceId, ids), isNull(instanceHolds.liftedAt)))
      .orderBy(asc(instanceHolds.id));
    return rows.map((row) => ({
      ...row,
      holds: standing.flatMap(({ instanceId, kind, reason, message, placedAt }) =>
        instanceId === row.id ? [{ kind, reason, message, placedAt }] : [],
      ),
    }));
  },
} as const;

export function findInstances(
  ctx: CoreContext,
  { observedPhase, ...input }: FindInstancesInput,
): Promise<Page<InstanceEntry>> {
  return findOn(
    ctx,
    shelf,
    input,
    observedPhase === undefined ? undefined : eq(instances.observedPhase, observedPhase),
  );
}

export function getInstanceEntry(ctx: CoreContext, instanceId: string): Promise<InstanceEntry> {
  return getFrom(ctx, shelf, instanceId);
}
