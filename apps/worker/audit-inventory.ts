import {
  beginAudit,
  type CoreContext,
  correctRows,
  decideAction,
  deriveFindings,
  failAudit,
  finishAudit,
  type InventoryAction,
  type InventoryAuditRow,
  type InventoryRows,
  type InventoryWorld,
  isComparable,
  isGone,
  listUnjudged,
  longestAuditMs,
  noteAction,
  createInstanceStore,
  type InstanceStore,
  type Observation,
  readHouseId,
  readInventoryRows,
  readWanted,
  type RecordedFinding,
  recordFindings,
  settleRows,
} from "@sewa/core";
import { type Cluster, type ClusterInventory, reconcileInstance } from "@sewa/provisioner";
import type { Logger } from "./log.ts";

export interface AuditDeps {
  readonly core: CoreContext;
  readonly cluster: Cluster;
  readonly log: Logger;
}

export interface AuditRun {
  /** The pool that makes it; the holder of leases. */
  readonly holder: string;
  readonly signal: AbortSignal;
}

export interface AuditOutcome {
  readonly audit: InventoryAuditRow;
  readonly recorded: readonly RecordedFinding[];
  /** What was done, by word. */
  readonly actions: Readonly<Record<Done, number>>;
}

type Done = "repaired" | "deleted" | "kept_for_data";

/**
 * Holds every row against every object, both ways, writes down what differs and repairs what can be. Null while another
 * audit runs.
 *
 * Rows are read before and after the cluster, because in between the house goes on: of an instance that has moved meanwhile
 * nothing is said. Deleted is only what two whole looks have seen, and after both have been asked once more.
 */
export async function auditInventory(deps: AuditDeps, run: AuditRun): Promise<AuditOutcome | null> {
  const { core } = deps;
  const begun = await beginAudit(core, run.holder);
  if (begun === null) return null;
  const bound = { ...run, signal: AbortSignal.any([run.signal, AbortSignal.timeout(longestAuditMs)]) };
  try {
    const houseId = await readHouseId(core.db.drizzle);
    const { rows, world } = await look(deps, houseId, bound.signal);
    const findings = deriveFindings(rows, world, core.clock.now());
    const isWhole = world.unread.length === 0;
    const unjudged = listUnjudged(rows, world);
    const { recorded, resolved } = await recordFindings(core, { findings, isWhole, unjudged });
    report(deps.log, recorded);
    const actions = await act(deps, bound, { recorded, rows, isWhole, houseId });
    const audit = await finishAudit(core, begun.id, {
      isWhole,
      unread: world.unread,
      objects: world.objects.length,
      instances: rows.size,
      unjudged: unjudged.size,
      findings: recorded.length,
      resolved,
      repaired: actions.repaired,
      deleted: actions.deleted + actions.kept_for_data,
    });
    return { audit, recorded, actions };
  } catch (error) {
    // Should the database be away, the next audit closes this one.
    await failAudit(core, begun.id).catch(() => undefined);
    throw error;
  }
}

interface Seen {
  readonly rows: InventoryRows;
  readonly world: InventoryWorld;
}

async function look({ core, cluster, log }: AuditDeps, houseId: string, signal: AbortSignal): Promise<Seen> {
  const before = await readInventoryRows(core);
  const inventory = await cluster.inventory(houseId, { signal });
  const comparisons = new Map<string, Awaited<ReturnType<Cluster["compare"]>>>();
  const unrenderable = new Set<string>();
  const unread = new Set(inventory.unread);
  for (const row of before.values()) {
    signal.throwIfAborted();
    if (row.inFlux || !isComparable(row)) continue;
    const spec = await readWanted(core, row);
    if (spec === null) {
      unrenderable.add(row.instanceId);
      continue;
    }
    try {
      comparisons.set(row.instanceId, await cluster.compare(spec, inventory, { signal }));
    } catch (error) {
      signal.throwIfAborted();
      // Of this one nothing is known; of the others something may be.
      log.warn({ instanceId: row.instanceId, err: error }, "instance could not be compared");
      unread.add("comparison");
    }
  }
  const after = await readInventoryRows(core, homesOf(inventory));
  const world = { objects: inventory.objects, unread: [...unread].toSorted(), comparisons, unrenderable };
  return { rows: settleRows(before, after), world };
}

function homesOf({ objects }: ClusterInventory): readonly string[] {
  return [...new Set(objects.flatMap(({ homeId }) => homeId ?? []))];
}

function report(log: Logger, recorded: readonly RecordedFinding[]): void {
  for (const { finding, isNewlyReported } of recorded) {
    if (!isNewlyReported) continue;
    const { kind, severity, subject, organizationId, instanceId, details } = finding;
    log.warn({ finding: kind, severity, subject, organizationId, instanceId, details }, "inventory differs");
  }
}

/** What was judged by; asked once more before anything is deleted. */
interface Judged {
  readonly rows: InventoryRows;
  readonly houseId: string;
}

interface Decided {
  readonly recorded: RecordedFinding;
  readonly action: InventoryAction;
}

/** One that cannot be carried out does not keep the others from it, and is tried again by the next audit. */
async function act(
  deps: AuditDeps,
  run: AuditRun,
  seen: Judged & { readonly recorded: readonly RecordedFinding[]; readonly isWhole: boolean },
): Promise<Readonly<Record<Done, number>>> {
  const { core, log } = deps;
  const rules = { isWhole: seen.isWhole, orphanVolumeGraceDays: core.config.orphanVolumeGraceDays };
  const decided = seen.recorded.map((recorded): Decided => {
    const { firstSeenAt, sightings } = recorded.row;
    return { recorded, action: decideAction({ ...recorded.finding, firstSeenAt, sightings }, rules, core.clock.now()) };
  });
  const counts = { repaired: 0, deleted: 0, kept_for_data: 0 };
  for (const group of groupByTarget(decided)) {
    run.signal.throwIfAborted();
    const [first] = group;
    if (first === undefined) continue;
    try {
      const done = await carryOut(deps, run, first, seen);
      if (done === null) continue;
      for (const { recorded } of group) await noteAction(core, recorded.row, done);
      counts[done] += group.length;
    } catch (error) {
      run.signal.throwIfAborted();
      log.error(
        { action: first.action.type, finding: first.recorded.row.id, err: error },
        "inventory could not be corrected",
      );
    }
  }
  return counts;
}

/**
 * What is repaired is repaired once for all that was found about it. Working on an app moves its row, and what hangs on a row
 * that has moved since it was judged is left to the next audit: so rows come first, and repairs last.
 */
function groupByTarget(decided: readonly Decided[]): readonly (readonly Decided[])[] {
  const groups = new Map<string, Decided[]>();
  for (const item of decided) {
    const { action, recorded } = item;
    if (action.type === "leave") continue;
    const key = "instanceId" in action ? `${action.type} ${action.instanceId}` : recorded.row.id;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  const order = ["correct_rows", "delete", "stop_namespace", "reconcile"];
  const rank = ([first]: readonly Decided[]): number => order.indexOf(first?.action.type ?? "");
  return [...groups.values()].toSorted((a, b) => rank(a) - rank(b));
}

/** Null when there was nothing to do after all, or it is not the time. */
async function carryOut(
  deps: AuditDeps,
  run: AuditRun,
  { action, recorded }: Decided,
  { rows, houseId }: Judged,
): Promise<Done | null> {
  const { core, cluster } = deps;
  switch (action.type) {
    case "leave":
      return null;
    case "reconcile":
      return (await reconcileAnew(deps, run, action.instanceId)) ? "repaired" : null;
    case "correct_rows": {
      const row = rows.get(action.instanceId);
      return row !== undefined && (await correctRows(core, row)) ? "repaired" : null;
    }
    case "delete":
      if (!(await isStillUnwanted(core, recorded, rows))) return null;
      return (await cluster.erase(houseId, action.object, run)) ? "deleted" : null;
    case "stop_namespace":
      if (!(await isStillUnwanted(core, recorded, rows))) return null;
      return (await cluster.eraseRunning(houseId, action.object, run)) > 0 ? "kept_for_data" : null;
  }
}

/** False while somebody else works on it, who will do the same, and when the cluster refuses or does not answer. */
async function reconcileAnew({ core, cluster }: AuditDeps, run: AuditRun, instanceId: string): Promise<boolean> {
  cluster.forget(instanceId);
  const store = createInstanceStore(core, run.holder);
  let existence: Observation["existence"] = "unknown";
  const recordObserved: InstanceStore["recordObserved"] = (lease, generation, observation) => {
    existence = observation.existence;
    return store.recordObserved(lease, generation, observation);
  };
  const { outcome } = await reconcileInstance({ instances: { ...store, recordObserved }, cluster }, instanceId, run);
  // After a change that failed nobody knows what is there.
  return outcome !== "busy" && existence !== "unknown";
}

/** Asked once more in the last moment: what is deleted does not come back. */
async function isStillUnwanted(core: CoreContext, { finding }: RecordedFinding, rows: InventoryRows): Promise<boolean> {
  const { kind, instanceId } = finding;
  if (instanceId === null) return false;
  const row = (await readInventoryRows(core, [instanceId])).get(instanceId);
  if (kind === "orphan_namespace") return row === undefined || isGone(row);
  // What an app does not ask for is known of the row that it was compared with, and of no later one.
  return row !== undefined && !row.inFlux && row.mark === rows.get(instanceId)?.mark;
}
