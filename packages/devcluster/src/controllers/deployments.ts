import { canonicalJson, deepEqual } from "../kube/json.ts";
import type { Deployment, Pod, PodTemplate, ReplicaSet } from "../kube/kinds.ts";
import { contentHash } from "../kube/names.ts";
import { controllerOf, ownedBy, ownerReferenceTo } from "../kube/object.ts";
import { selectorMatcher } from "../kube/selector.ts";
import { create, find, list, remove, update, updateStatus, type Control } from "./control.ts";
import { deriveDeploymentStatus, progressingCondition } from "./deployment-status.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isFinished, withCondition } from "./pod-state.ts";

const source = { component: "deployment-controller" };
const hashLabel = "pod-template-hash";
const revisionAnnotation = "deployment.kubernetes.io/revision";

/** Rolls Deployments out over ReplicaSets, by RollingUpdate or Recreate, and tells how far they are. */
export function deploymentController(control: Control): Controller {
  const controller: Controller = {
    name: "deployment",
    keysOf({ resource, object }): readonly string[] {
      const namespace = object.metadata.namespace ?? "";
      if (resource === "deployments.apps") return [keyOf(object)];
      if (resource === "replicasets.apps") {
        const owner = controllerOf(object);
        return owner?.kind === "Deployment" ? [`${namespace}/${owner.name}`] : [];
      }
      // Recreate waits for the last old pod, whose ReplicaSet has already stopped counting it.
      const owner = resource === "pods" ? controllerOf(object) : undefined;
      const set =
        owner?.kind === "ReplicaSet" ? find<ReplicaSet>(control, "replicasets.apps", namespace, owner.name) : null;
      const deployment = set === null ? undefined : controllerOf(set);
      return deployment === undefined ? [] : [`${namespace}/${deployment.name}`];
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const deployment = find<Deployment>(control, "deployments.apps", namespace, name);
      if (deployment === null) return;
      const deadlineMs = sync(control, deployment);
      if (deadlineMs !== null) control.loop.later(controller, key, deadlineMs);
    },
  };
  return controller;
}

/** One round; answers after how many milliseconds the progress deadline must be looked at. */
function sync(control: Control, given: Deployment): number | null {
  let deployment = given;
  const sets = adoptSets(control, deployment);
  if (deployment.metadata.deletionTimestamp !== undefined) {
    recordStatus(control, deployment, sets);
    return null;
  }
  let current = sets.find((set) => sameTemplate(set, deployment)) ?? null;
  const old = sets.filter((set) => set !== current);
  if (deployment.spec.paused !== true) {
    const isRecreate = deployment.spec.strategy.type === "Recreate";
    const blocked = isRecreate && scaleDownForRecreate(control, deployment, old);
    if (current === null && !blocked) {
      current = createSet(control, deployment, sets);
      const message = `Created new replica set "${current.metadata.name}"`;
      const condition = progressingCondition("True", "NewReplicaSetCreated", message);
      const conditions = withCondition(deployment.status.conditions ?? [], condition);
      deployment = updateStatus(control, "deployments.apps", deployment, { ...deployment.status, conditions });
    }
    if (current !== null) {
      deployment = ensureRevision(control, deployment, current, old);
      if (!blocked) rollOut(control, deployment, current, old, isRecreate);
      cleanUp(control, deployment, old);
    }
  } else {
    scaleEvenly(control, deployment, current, old);
  }
  const latest = list<ReplicaSet>(control, "replicasets.apps", deployment.metadata.namespace ?? "");
  return recordStatus(
    control,
    deployment,
    latest.filter((set) => ownedBy(set, deployment)),
  );
}

/** Its own ReplicaSets, and those without an owner that its selector matches. */
function adoptSets(control: Control, deployment: Deployment): ReplicaSet[] {
  const matches = selectorMatcher(deployment.spec.selector);
  return list<ReplicaSet>(control, "replicasets.apps", deployment.metadata.namespace ?? "").flatMap((set) => {
    if (ownedBy(set, deployment)) return [set];
    const isFree = controllerOf(set) === undefined && set.metadata.deletionTimestamp === undefined;
    if (!isFree || deployment.metadata.deletionTimestamp !== undefined || !matches(set.metadata.labels ?? {}))
      return [];
    const ownerReferences = [...(set.metadata.ownerReferences ?? []), ownerReferenceTo(deployment)];
    const next = { ...set, metadata: { ...set.metadata, ownerReferences } };
    return [control.objects.store.put("replicasets.apps", next) as ReplicaSet];
  });
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function sameTemplate(set: ReplicaSet, deployment: Deployment): boolean {
  return deepEqual(withoutHash(set.spec.template), withoutHash(deployment.spec.template));
}

function createSet(control: Control, deployment: Deployment, existing: readonly ReplicaSet[]): ReplicaSet {
  const { name, namespace = "" } = deployment.metadata;
  const taken = new Set(existing.map((set) => set.metadata.name));
  let hash = contentHash(canonicalJson(deployment.spec.template));
  for (let i = 0; taken.has(`${name}-${hash}`); i++)
    hash = contentHash(`${i} ${canonicalJson(deployment.spec.template)}`);
  const template = structuredClone(deployment.spec.template);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const replicas = newReplicas(deployment, existing, null);
  const set = create<ReplicaSet>(control, "replicasets.apps", namespace, {
    metadata: {
      name: `${name}-${hash}`,
      labels,
      annotations: { ...sizeAnnotations(deployment), [revisionAnnotation]: String(nextRevision(existing)) },
      ownerReferences: [ownerReferenceTo(deployment)],
    },
    spec: {
      replicas,
      selector: {
        ...deployment.spec.selector,
        matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  });
  if (replicas > 0) recordScaling(control, deployment, set, 0, replicas);
  return set;
}

function recordScaling(control: Control, deployment: Deployment, set: ReplicaSet, from: number, to: number): void {
  const message = `Scaled ${to > from ? "up" : "down"} replica set ${set.metadata.name} from ${from} to ${to}`;
  control.events.record(deployment, source, "Normal", "ScalingReplicaSet", message);
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
}

function nextRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf)) + 1;
}

function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const { replicas } = deployment.spec;
  return {
    "deployment.kubernetes.io/desired-replicas": String(replicas),
    "deployment.kubernetes.io/max-replicas": String(replicas + surgeOf(deployment)),
  };
}

/** A template that comes back uses its old ReplicaSet again, under a new revision. */
function ensureRevision(
  control: Control,
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
): Deployment {
  const revision = Math.max(revisionOf(current), nextRevision(old));
  const annotations = {
    ...current.metadata.annotations,
    ...sizeAnnotations(deployment),
    [revisionAnnotation]: String(revision),
  };
  update(control, "replicasets.apps", {
    ...latest(control, current),
    metadata: { ...latest(control, current).metadata, annotations },
  });
  if (deployment.metadata.annotations?.[revisionAnnotation] === String(revision)) return deployment;
  const own = { ...deployment.metadata.annotations, [revisionAnnotation]: String(revision) };
  // The controller's own annotation is no change of what the user wants, so the generation stays.
  return control.objects.store.put("deployments.apps", {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: own },
  }) as Deployment;
}

function latest<T extends ReplicaSet>(control: Control, set: T): T {
  return find<T>(control, "replicasets.apps", set.metadata.namespace ?? "", set.metadata.name) ?? set;
}

function share(value: number | string, replicas: number, round: (amount: number) => number): number {
  if (typeof value === "number") return value;
  return round((Number.parseFloat(value) / 100) * replicas);
}

function surgeOf(deployment: Deployment): number {
  const rolling = deployment.spec.strategy.rollingUpdate;
  return rolling === undefined ? 0 : share(rolling.maxSurge, deployment.spec.replicas, Math.ceil);
}

function unavailableOf(deployment: Deployment): number {
  const rolling = deployment.spec.strategy.rollingUpdate;
  if (rolling === undefined) return 0;
  const amount = share(rolling.maxUnavailable, deployment.spec.replicas, Math.floor);
  return amount === 0 && surgeOf(deployment) === 0 ? 1 : amount;
}

function totalOf(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + set.spec.replicas, 0);
}

/** How many pods the new ReplicaSet may have now. */
function newReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: ReplicaSet | null): number {
  const wanted = deployment.spec.replicas;
  const has = current?.spec.replicas ?? 0;
  if (deployment.spec.strategy.type === "Recreate" || has >= wanted) return wanted;
  const room = wanted + surgeOf(deployment) - totalOf(all);
  return room <= 0 ? has : has + Math.min(room, wanted - has);
}

function resize(control: Control, deployment: Deployment, set: ReplicaSet, replicas: number): void {
  const now = latest(control, set);
  if (now.spec.replicas === replicas) return;
  update(control, "replicasets.apps", { ...now, spec: { ...now.spec, replicas } });
  recordScaling(control, deployment, set, now.spec.replicas, replicas);
}

/** Recreate: true while old pods are still there, so that no new one starts beside them. */
function scaleDownForRecreate(control: Control, deployment: Deployment, old: readonly ReplicaSet[]): boolean {
  for (const set of old) if (set.spec.replicas > 0) resize(control, deployment, set, 0);
  const uids = new Set(old.map((set) => set.metadata.uid));
  return list<Pod>(control, "pods", deployment.metadata.namespace ?? "").some((pod) => {
    const owner = controllerOf(pod);
    return owner !== undefined && uids.has(owner.uid) && !isFinished(pod);
  });
}

function rollOut(
  control: Control,
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  isRecreate: boolean,
): void {
  const all = [...old, latest(control, current)];
  resize(control, deployment, current, newReplicas(deployment, all, latest(control, current)));
  if (isRecreate || totalOf(old) === 0) return;
  const now = latest(control, current);
  const available = (set: ReplicaSet): number => set.status.availableReplicas ?? 0;
  const minimum = deployment.spec.replicas - unavailableOf(deployment);
  const pendingNew = Math.max(0, now.spec.replicas - available(now));
  let mayGo = totalOf([...old, now]) - minimum - pendingNew;
  // Old pods that do not serve are taken first: they make no difference to who is served.
  for (const set of old) {
    const broken = Math.min(set.spec.replicas - available(set), Math.max(0, mayGo));
    if (broken <= 0) continue;
    resize(control, deployment, set, set.spec.replicas - broken);
    mayGo -= broken;
  }
  let surplus = old.reduce((sum, set) => sum + available(set), 0) + available(now) - minimum;
  for (const set of old) {
    const has = latest(control, set).spec.replicas;
    const takes = Math.min(has, Math.max(0, surplus));
    if (takes === 0) continue;
    resize(control, deployment, set, has - takes);
    surplus -= takes;
  }
}

/** A paused Deployment does not roll, but still follows its count. */
function scaleEvenly(
  control: Control,
  deployment: Deployment,
  current: ReplicaSet | null,
  old: readonly ReplicaSet[],
): void {
  const target = current ?? old.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
  if (target === undefined) return;
  const others = totalOf(old.filter((set) => set !== target));
  resize(control, deployment, target, Math.max(0, deployment.spec.replicas - others));
}

function cleanUp(control: Control, deployment: Deployment, old: readonly ReplicaSet[]): void {
  const idle = old
    .filter(
      (set) => set.spec.replicas === 0 && set.status.replicas === 0 && set.metadata.deletionTimestamp === undefined,
    )
    .toSorted((a, b) => revisionOf(a) - revisionOf(b));
  for (const set of idle.slice(0, Math.max(0, idle.length - deployment.spec.revisionHistoryLimit))) {
    remove(control, "replicasets.apps", set, { propagationPolicy: "Background" });
  }
}

function recordStatus(control: Control, given: Deployment, sets: readonly ReplicaSet[]): number | null {
  const { namespace = "", name } = given.metadata;
  const deployment = find<Deployment>(control, "deployments.apps", namespace, name) ?? given;
  const current = sets.find((set) => sameTemplate(set, deployment)) ?? null;
  const { status, deadlineMs } = deriveDeploymentStatus(
    deployment,
    current,
    sets,
    unavailableOf(deployment),
    Date.now(),
  );
  updateStatus(control, "deployments.apps", deployment, status);
  return deadlineMs;
}
