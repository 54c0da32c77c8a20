import type { PlanLimits, ResolvedApp } from "@sewa/blueprint";
import { instances } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { findLatestOperation, findOpenOperation, startOperation } from "../operations/index.ts";
import type { DesiredPhase } from "./derive-phase.ts";
import type { InstanceRow } from "./instance.ts";
import { openSecrets } from "./instance-secrets.ts";
import { acquireLease, holdsLease, type InstanceLease } from "./lease.ts";
import type { Observation } from "./observation.ts";
import { readHouseId } from "./read-house.ts";
import { type Recorded, recordObserved } from "./record-observed.ts";
import type { InstanceShape } from "./reshape-instance.ts";
import { resolveInstance } from "./resolve-instance.ts";

/** Everything that is needed to render an instance, and nothing about money. */
export interface InstanceSpec {
  /** Which installation it belongs to: several may share a cluster, each with a database of its own. */
  readonly houseId: string;
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly host: string;
  readonly phase: DesiredPhase;
  readonly generation: number;
  /** RFC 3339; changes the pods' template. */
  readonly restartRequestedAt: string | null;
  readonly app: ResolvedApp;
  readonly limits: PlanLimits;
  /** Machines that it may run on. */
  readonly nodePool: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly ownerClaimed: boolean;
  /** Of the request behind the newest operation, also after its end, so that what is rendered stays the same until the next. */
  readonly requestId: string | null;
}

export interface LoadedInstance {
  readonly spec: InstanceSpec;
  /** The operation that the customer follows; null when none is open. For log lines. */
  readonly operationId: string | null;
  /** Of the request that asked for that operation. For log lines. */
  readonly requestId: string | null;
}

/** The door through which a provisioner reads what is wanted and writes what is. */
export interface InstanceStore {
  /** Null when somebody else works on it, or it does not exist. */
  lease(instanceId: string): Promise<InstanceLease | null>;
  /** Whether there is such an instance, be it removed long ago. */
  exists(instanceId: string): Promise<boolean>;
  /** The open operation begins with it. Null when the lease was lost. */
  load(lease: InstanceLease): Promise<LoadedInstance | null>;
  /** A lost lease writes nothing and is not settled. */
  recordObserved(lease: InstanceLease, generation: number, observation: Observation): Promise<Recorded>;
}

/** `holder` names the process; the worker's actor stands in what is written. */
export function createInstanceStore(ctx: CoreContext, holder: string): InstanceStore {
  // What is recorded belongs to the request whose operation is under way, whoever prompted this pass.
  const requestIds = new WeakMap<InstanceLease, string>();
  return {
    lease: (instanceId) => acquireLease(ctx, instanceId, holder),
    exists: (instanceId) => instanceExists(ctx, instanceId),
    async load(lease) {
      const loaded = await loadInstance(ctx.forOrganization(lease.organizationId), lease);
      if (loaded?.requestId != null) requestIds.set(lease, loaded.requestId);
      return loaded;
    },
    recordObserved(lease, generation, observation) {
      const bound = ctx.forOrganization(lease.organizationId).forRequest(requestIds.get(lease) ?? ctx.requestId);
      return recordObserved(bound, lease, generation, observation);
    },
  };
}

async function instanceExists(ctx: CoreContext, instanceId: string): Promise<boolean> {
  return (await ctx.db.drizzle.$count(instances, eq(instances.id, instanceId))) > 0;
}

/** What an instance should be, to look at and not to work on. Null when there is no such instance. */
export async function readInstanceSpec(ctx: CoreContext, instanceId: string): Promise<InstanceSpec | null> {
  return ctx.transaction(async (tx) => {
    const [instance] = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
    return instance === undefined ? null : toInstanceSpec(tx, instance);
  });
}

async function loadInstance(ctx: CoreContext, lease: InstanceLease): Promise<LoadedInstance | null> {
  return ctx.transaction(async (tx) => {
    if (!(await holdsLease(tx, lease))) return null;
    const [instance] = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, lease.instanceId)));
    if (instance === undefined) return null;
    const operation = await findOpenOperation(tx, instance.id);
    if (operation !== null) await startOperation(tx, operation);
    return {
      spec: await toInstanceSpec(tx, instance),
      operationId: operation?.id ?? null,
      requestId: operation?.requestId ?? null,
    };
  });
}

/** The instance as it is to be rendered. */
export async function toInstanceSpec(tx: Tx, instance: InstanceRow): Promise<InstanceSpec> {
  return {
    houseId: await readHouseId(tx.sql),
    organizationId: instance.organizationId,
    subscriptionId: instance.subscriptionId,
    instanceId: instance.id,
    host: instance.host,
    phase: instance.desiredPhase,
    generation: instance.generation,
    restartRequestedAt: instance.restartRequestedAt?.toISOString() ?? null,
    app: await resolveInstance(tx, instance),
    limits: instance.limits,
    nodePool: instance.nodePool,
    // Nothing is rendered for an instance that goes, and its secrets may be gone already.
    secrets: instance.desiredPhase === "absent" ? {} : await openSecrets(tx, instance.id),
    ownerClaimed: instance.ownerClaimedAt !== null,
    requestId: (await findLatestOperation(tx, instance.id))?.requestId ?? null,
  };
}

/** As it would be rendered in another shape. A secret that only that shape declares has no value yet: an empty one stands for it. */
export async function toPlannedSpec(tx: Tx, instance: InstanceRow, shape: InstanceShape): Promise<InstanceSpec> {
  const { planId, blueprintVersionId, parameters, addons, limits } = shape;
  const row: InstanceRow = {
    ...instance,
    planId,
    blueprintVersionId,
    parameters: { ...parameters },
    addons: { ...addons },
    limits: { ...limits },
    generation: instance.generation + 1,
  };
  const spec = await toInstanceSpec(tx, row);
  const declared = spec.app.secrets.map(({ name }): [string, string] => [name, ""]);
  return { ...spec, secrets: { ...Object.fromEntries(declared), ...spec.secrets } };
}
