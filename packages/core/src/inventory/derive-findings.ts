import { z } from "zod";
import { minuteMs } from "../clock.ts";
import { type Finding, type FindingDetails, type FindingKind, type FindingSeverity, runningKinds } from "./finding.ts";
import { costPerDay, type InventoryRow, isGone, isHoldOver, needsHold, wantedPhaseOf } from "./inventory-row.ts";
import {
  type Comparison,
  type InventoryWorld,
  noRequests,
  objectKey,
  type ObjectRef,
  type Requests,
  sumRequests,
  type WorldObject,
} from "./world.ts";

export type InventoryRows = ReadonlyMap<string, InventoryRow>;

/** A namespace with volumes takes its time to go, but not so much. */
const stuckMs = 10 * minuteMs;
/** So many namespaces without any row may be what a restored database has forgotten, and no more than live apps. */
const maxUnknownNamespaces = 20;

const workloads: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "Job"]);
/** Data, isolation, and what everything else stands in. */
const critical: ReadonlySet<string> = new Set([
  "Namespace",
  "PersistentVolumeClaim",
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
]);

/**
 * Everything in which rows and world disagree, each disagreement once. Pure: the same facts give the same findings.
 * What could not be read is left out: an absence is concluded only from what was seen whole.
 */
export function deriveFindings(rows: InventoryRows, world: InventoryWorld, now: Date): readonly Finding[] {
  const namespaces = world.objects.filter(({ kind }) => kind === "Namespace");
  const own = namespaces.filter(({ isOurs, homeId }) => isOurs && homeId !== null);
  const unknown = own.filter((namespace) => findRow(rows, namespace) === undefined).length;
  const known = [...rows.values()].filter((row) => !isGone(row)).length;
  const view: View = {
    rows,
    world,
    now,
    isHeldBack: unknown > Math.max(maxUnknownNamespaces, known),
    inNamespace: groupByNamespace(world.objects),
    namespaces: new Map(namespaces.map((namespace) => [namespace.name, namespace])),
    homes: new Map(
      namespaces.flatMap((namespace) => (namespace.homeId === null ? [] : [[namespace.homeId, namespace]])),
    ),
  };
  return [
    ...own.flatMap((namespace) => namespaceFindings(view, namespace)),
    ...strays(view),
    ...[...rows.values()].flatMap((row) => rowFindings(view, row)),
  ];
}

/** Instances of which this look can say nothing: what was found about them before stands. */
export function listUnjudged(rows: InventoryRows, world: InventoryWorld): ReadonlySet<string> {
  const isUnjudged = (row: InventoryRow): boolean =>
    row.hasMoved || (!isGone(row) && (row.inFlux || (isComparable(row) && !isCompared(world, row))));
  return new Set([...rows.values()].filter(isUnjudged).map(({ instanceId }) => instanceId));
}

interface View {
  readonly rows: InventoryRows;
  readonly world: InventoryWorld;
  readonly now: Date;
  readonly isHeldBack: boolean;
  readonly inNamespace: ReadonlyMap<string, readonly WorldObject[]>;
  readonly namespaces: ReadonlyMap<string, WorldObject>;
  /** Namespaces that are named after an instance, by its id. */
  readonly homes: ReadonlyMap<string, WorldObject>;
}

/** Objects of such an instance are compared one by one. */
export function isComparable(row: InventoryRow): boolean {
  return !row.isRemoved && row.desiredPhase !== "absent" && wantedPhaseOf(row) !== "absent";
}

function isCompared({ comparisons, unrenderable }: InventoryWorld, { instanceId }: InventoryRow): boolean {
  return comparisons.has(instanceId) || unrenderable.has(instanceId);
}

function namespaceFindings(view: View, namespace: WorldObject): readonly Finding[] {
  const row = findRow(view.rows, namespace);
  if (row?.hasMoved === true) return [];
  const contents = view.inNamespace.get(namespace.name) ?? [];
  if (row === undefined || isGone(row)) return [orphan(view, namespace, row, contents)];
  const details = deletingDetails(namespace);
  if (namespace.deletingSince !== null) {
    const isStuck = view.now.getTime() - Date.parse(namespace.deletingSince) > stuckMs;
    return isStuck ? [ofRow(row, "namespace_stuck", "critical", namespace, details, requestsOf(contents))] : [];
  }
  if (row.inFlux) return [];
  if (!carriesLabelsOf(namespace, row))
    return [ofRow(row, "mislabelled", "critical", namespace, nameDetails(namespace, row))];
  const isUnwanted = row.desiredPhase === "absent" && wantedPhaseOf(row) === "absent";
  if (!isUnwanted) return [];
  return [ofRow(row, "running_unwanted", "warning", namespace, { desiredPhase: "absent" }, requestsOf(contents))];
}

function orphan(
  view: View,
  namespace: WorldObject,
  row: InventoryRow | undefined,
  contents: readonly WorldObject[],
): Finding {
  const details: FindingDetails = {
    row: row === undefined ? "none" : "gone",
    volumes: contents.filter(({ kind }) => kind === "PersistentVolumeClaim").length,
    running: contents.filter(({ kind, isOurs }) => isOurs && runningKinds.has(kind)).length,
    isPurged: row?.subscription.isPurged === true,
    ...(row === undefined && view.isHeldBack ? { isHeldBack: true } : {}),
    ...(row === undefined && namespace.house === "none" ? { isUnsigned: true } : {}),
    ...(contents.some(({ house }) => house === "other") ? { isShared: true } : {}),
    ...deletingDetails(namespace),
  };
  const severity = details.isHeldBack === true ? "critical" : "warning";
  const requests = requestsOf(contents);
  return row === undefined
    ? ofLabels(namespace, "orphan_namespace", severity, details, requests)
    : ofRow(row, "orphan_namespace", severity, namespace, details, requests);
}

/**
 * What carries our label and stands in no namespace of ours; nobody looks after it, and it is not ours to look after. A
 * namespace with our label that is named after no instance is one: we make none such.
 */
function strays({ rows, world, namespaces }: View): readonly Finding[] {
  if (world.unread.includes("Namespace")) return [];
  return world.objects
    .filter(({ isOurs }) => isOurs)
    .filter((object) => {
      if (object.kind === "Namespace") return object.homeId === null;
      const row = object.homeId === null ? undefined : rows.get(object.homeId);
      if (row !== undefined && !isGone(row)) return false;
      const namespace = namespaces.get(object.namespace ?? "");
      if (namespace === undefined) return object.homeId === null;
      // What is in a namespace of another house is that house's, whatever labels it has.
      return !namespace.isOurs && namespace.house !== "other";
    })
    .map((object) => ofLabels(object, "stray", "warning", {}, object.requests));
}

function rowFindings(view: View, row: InventoryRow): readonly Finding[] {
  if (row.inFlux || row.hasMoved) return [];
  return [...promises(row), ...contentFindings(view, row)];
}

/** What rows say of each other: the wish and the money, the promise of room and who needs it. */
function promises(row: InventoryRow): readonly Finding[] {
  const subject: ObjectRef = { kind: "Instance", namespace: null, name: row.instanceId, uid: null };
  const wantedPhase = wantedPhaseOf(row);
  if (wantedPhase !== (row.isRemoved ? "absent" : row.desiredPhase)) {
    return [ofRow(row, "wrong_phase", "critical", subject, { desiredPhase: row.desiredPhase, wantedPhase })];
  }
  if (row.hasHold && isHoldOver(row)) return [ofRow(row, "hold_without_instance", "warning", subject, {})];
  if (!row.hasHold && needsHold(row)) return [ofRow(row, "instance_without_hold", "warning", subject, {})];
  return [];
}

function contentFindings(view: View, row: InventoryRow): readonly Finding[] {
  const { world, inNamespace, homes } = view;
  if (!isComparable(row)) return [];
  if (world.unrenderable.has(row.instanceId)) {
    const subject: ObjectRef = { kind: "Instance", namespace: null, name: row.instanceId, uid: null };
    return [ofRow(row, "unrenderable", "critical", subject, {})];
  }
  const comparison = world.comparisons.get(row.instanceId);
  if (comparison === undefined) return [];
  const home = homes.get(row.instanceId);
  if (home !== undefined && home.deletingSince !== null) return [];
  const contents = home === undefined ? [] : (inNamespace.get(home.name) ?? []);
  const objects = new Map(
    [...contents, ...(home === undefined ? [] : [home])].map((object) => [objectKey(object), object]),
  );
  const changed = comparison.changed.flatMap(({ fields, ...subject }) => changedFinding(row, subject, fields, objects));
  // Nothing is applied into it, so nothing in it can be as wanted.
  if (home !== undefined && isNameTaken(home, row))
    return changed.filter(({ subject }) => subject.kind === "Namespace");
  return [
    ...comparison.missing.map((subject) => ofRow(row, "missing", severityOf(subject.kind), subject, {})),
    ...changed,
    ...contents.flatMap((object) => superfluous(row, comparison, object)),
  ];
}

function changedFinding(
  row: InventoryRow,
  subject: ObjectRef,
  fields: readonly string[],
  objects: ReadonlyMap<string, WorldObject>,
): readonly Finding[] {
  const object = objects.get(objectKey(subject));
  const isMislabelled = object !== undefined && !carriesLabelsOf(object, row);
  // The namespace's own labels are judged with the namespace.
  if (isMislabelled && object.kind === "Namespace" && object.isOurs) return [];
  if (isMislabelled) {
    return [ofRow(row, "mislabelled", severityOf(subject.kind), subject, { fields, ...nameDetails(object, row) })];
  }
  const runs = object !== undefined && workloads.has(object.kind) && object.requests.cpuMillis > 0;
  if (row.desiredPhase === "stopped" && runs) {
    const details = { fields, desiredPhase: row.desiredPhase };
    return [ofRow(row, "running_unwanted", "warning", subject, details, object.requests)];
  }
  return [ofRow(row, "changed", severityOf(subject.kind), subject, { fields })];
}

function superfluous(row: InventoryRow, comparison: Comparison, object: WorldObject): readonly Finding[] {
  if (comparison.wanted.has(objectKey(object))) return [];
  // What it takes is no part of what the customer pays for, so it has no price of its own.
  const requests = object.requests;
  return object.isOurs
    ? [{ ...ofRow(row, "extra", severityOf(object.kind), object, {}, requests), costPerDay: null }]
    : [{ ...ofRow(row, "foreign", "info", object, {}, requests), costPerDay: null }];
}

function ofRow(
  row: InventoryRow,
  kind: FindingKind,
  severity: FindingSeverity,
  subject: ObjectRef,
  details: FindingDetails,
  requests: Requests = noRequests,
): Finding {
  const { organizationId, subscriptionId, instanceId } = row;
  const ids = { organizationId, subscriptionId, instanceId };
  return {
    kind,
    severity,
    subject: toRef(subject),
    ...ids,
    details,
    costPerDay: costPerDay(row),
    requests: orNull(requests),
  };
}

function ofLabels(
  object: WorldObject,
  kind: FindingKind,
  severity: FindingSeverity,
  details: FindingDetails,
  requests: Requests,
): Finding {
  const ids = {
    organizationId: uuidOrNull(object.organizationId),
    subscriptionId: uuidOrNull(object.subscriptionId),
    instanceId: object.homeId ?? uuidOrNull(object.instanceId),
  };
  return { kind, severity, subject: toRef(object), ...ids, details, costPerDay: null, requests: orNull(requests) };
}

/** Anybody may write anything into a label. */
function uuidOrNull(label: string | null): string | null {
  return z.uuid().safeParse(label).data ?? null;
}

/** The name decides whose a namespace is: labels can be changed, and a name is given out once. */
function findRow(rows: InventoryRows, namespace: WorldObject): InventoryRow | undefined {
  return namespace.homeId === null ? undefined : rows.get(namespace.homeId);
}

function carriesLabelsOf(object: WorldObject, row: InventoryRow): boolean {
  return (
    object.isOurs &&
    object.organizationId === row.organizationId &&
    object.subscriptionId === row.subscriptionId &&
    object.instanceId === row.instanceId
  );
}

function nameDetails(object: WorldObject, row: InventoryRow): FindingDetails {
  return isNameTaken(object, row) ? { isNameTaken: true } : {};
}

/** Nothing is applied into a namespace that says it is another's: a person has to look first. */
function isNameTaken({ kind, instanceId, house }: WorldObject, row: InventoryRow): boolean {
  return kind === "Namespace" && (instanceId !== row.instanceId || house === "other");
}

function severityOf(kind: string): FindingSeverity {
  return critical.has(kind) ? "critical" : "warning";
}

function deletingDetails({ deletingSince, blockedBy }: WorldObject): FindingDetails {
  return { ...(deletingSince === null ? {} : { deletingSince }), ...(blockedBy === null ? {} : { blockedBy }) };
}

function requestsOf(objects: readonly WorldObject[]): Requests {
  return sumRequests(objects.map(({ requests }) => requests));
}

function orNull(requests: Requests): Requests | null {
  return requests.cpuMillis + requests.memoryBytes + requests.storageBytes === 0 ? null : requests;
}

function toRef({ kind, namespace, name, uid }: ObjectRef): ObjectRef {
  return { kind, namespace, name, uid };
}

function groupByNamespace(objects: readonly WorldObject[]): ReadonlyMap<string, readonly WorldObject[]> {
  const groups = new Map<string, WorldObject[]>();
  for (const object of objects) {
    if (object.namespace === null) continue;
    const group = groups.get(object.namespace) ?? [];
    group.push(object);
    groups.set(object.namespace, group);
  }
  return groups;
}
