import { canonicalJson } from "../kube/json.ts";
import type { Claim, Pod, StatefulSet } from "../kube/kinds.ts";
import { contentHash } from "../kube/names.ts";
import { controllerOf, ownedBy, ownerReferenceTo, type OwnerReference } from "../kube/object.ts";
import { ApiError } from "../kube/status.ts";
import { create, find, list, remove, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isActive, isFinished, isReady } from "./pod-state.ts";
import { podFromTemplate } from "./replicasets.ts";

const source = { component: "statefulset-controller" };
const revisionLabel = "controller-revision-hash";

/** Keeps numbered pods with claims of their own, started in order and stopped in reverse. */
export function statefulSetController(control: Control): Controller {
  return {
    name: "statefulset",
    keysOf({ resource, object }): readonly string[] {
      if (resource === "statefulsets.apps") return [keyOf(object)];
      const owner = resource === "pods" ? controllerOf(object) : undefined;
      return owner?.kind === "StatefulSet" ? [`${object.metadata.namespace ?? ""}/${owner.name}`] : [];
    },
    reconcile(key): void {
      const set = find<StatefulSet>(control, "statefulsets.apps", ...splitKey(key));
      if (set === null) return;
      const revision = `${set.metadata.name}-${contentHash(canonicalJson(set.spec.template))}`;
      if (set.metadata.deletionTimestamp === undefined) {
        retainClaims(control, set);
        act(control, set, revision);
      }
      recordStatus(control, set, revision);
    },
  };
}

function podsOf(control: Control, set: StatefulSet): Pod[] {
  return list<Pod>(control, "pods", set.metadata.namespace ?? "").filter((pod) => ownedBy(pod, set));
}

function ordinalOf(pod: { readonly metadata: { readonly name: string } }): number {
  return Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1);
}

/** One step: the lowest missing pod is made, or the highest surplus one or the highest outdated one is deleted. */
function act(control: Control, set: StatefulSet, revision: string): void {
  const start = set.spec.ordinals?.start ?? 0;
  const end = start + set.spec.replicas;
  const isParallel = set.spec.podManagementPolicy === "Parallel";
  const pods = podsOf(control, set);
  for (const pod of pods) {
    // A pod that has ended is replaced under the same name.
    if (isFinished(pod) && pod.metadata.deletionTimestamp === undefined) return deletePod(control, set, pod);
  }
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = pods.find((item) => ordinalOf(item) === ordinal);
    if (pod === undefined) {
      createPod(control, set, ordinal, revision);
      if (!isParallel) return;
    } else if (!isParallel && !(isReady(pod) && isActive(pod))) return;
  }
  const surplus = pods
    .filter((pod) => ordinalOf(pod) >= end || ordinalOf(pod) < start)
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
  const doomed = surplus.filter(isActive);
  if (doomed.length > 0) {
    if (!isParallel && surplus.length > doomed.length) return;
    for (const pod of isParallel ? doomed : doomed.slice(0, 1)) deletePod(control, set, pod);
    return;
  }
  if (set.spec.updateStrategy.type !== "RollingUpdate" || pods.some((pod) => !isActive(pod))) return;
  const partition = set.spec.updateStrategy.rollingUpdate?.partition ?? 0;
  const outdated = pods
    .filter((pod) => ordinalOf(pod) >= partition && pod.metadata.labels?.[revisionLabel] !== revision)
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a))[0];
  const othersReady = pods.every((pod) => pod === outdated || isReady(pod));
  if (outdated !== undefined && othersReady) deletePod(control, set, outdated);
}

function deletePod(control: Control, set: StatefulSet, pod: Pod): void {
  remove(control, "pods", pod);
  const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
  control.events.record(set, source, "Normal", "SuccessfulDelete", message);
}

function createPod(control: Control, set: StatefulSet, ordinal: number, revision: string): void {
  const { name, namespace = "" } = set.metadata;
  const podName = `${name}-${ordinal}`;
  const claims = set.spec.volumeClaimTemplates ?? [];
  const claimNames = claims.map((template) => ({
    volume: template.metadata.name,
    claim: `${template.metadata.name}-${podName}`,
  }));
  const body = podFromTemplate(set.spec.template, set, {
    name: podName,
    generateName: `${name}-`,
    labels: {
      ...set.spec.template.metadata?.labels,
      "apps.kubernetes.io/pod-index": String(ordinal),
      [revisionLabel]: revision,
      "statefulset.kubernetes.io/pod-name": podName,
    },
  });
  const others = (set.spec.template.spec.volumes ?? []).filter(
    (volume) => !claimNames.some((item) => item.volume === volume.name),
  );
  const own = claimNames.map((item) => ({ name: item.volume, persistentVolumeClaim: { claimName: item.claim } }));
  const spec = {
    ...set.spec.template.spec,
    volumes: [...own, ...others],
    hostname: podName,
    subdomain: set.spec.serviceName ?? "",
  };
  try {
    for (const [index, template] of claims.entries())
      ensureClaim(control, set, podName, claimNames[index]?.claim ?? "", template);
    create<Pod>(control, "pods", namespace, { ...body, spec: structuredClone(spec) });
    const message = `create Pod ${podName} in StatefulSet ${name} successful`;
    control.events.record(set, source, "Normal", "SuccessfulCreate", message);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = `create Pod ${podName} in StatefulSet ${name} failed error: ${error.message}`;
    control.events.record(set, source, "Warning", "FailedCreate", message);
    throw error;
  }
}

type ClaimTemplate = NonNullable<StatefulSet["spec"]["volumeClaimTemplates"]>[number];

function ensureClaim(
  control: Control,
  set: StatefulSet,
  podName: string,
  claimName: string,
  template: ClaimTemplate,
): void {
  const { name, namespace = "" } = set.metadata;
  if (find<Claim>(control, "persistentvolumeclaims", namespace, claimName) !== null) return;
  const labels = { ...template.metadata.labels, ...set.spec.selector.matchLabels };
  create<Claim>(control, "persistentvolumeclaims", namespace, {
    metadata: { name: claimName, labels },
    spec: structuredClone(template.spec),
  });
  const message = `create Claim ${claimName} Pod ${podName} in StatefulSet ${name} success`;
  control.events.record(set, source, "Normal", "SuccessfulCreate", message);
}

/** Retention policy Delete is an owner reference on the claims: then garbage collection takes them with set or pod. */
function retainClaims(control: Control, set: StatefulSet): void {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy;
  const end = (set.spec.ordinals?.start ?? 0) + set.spec.replicas;
  const prefixes = (set.spec.volumeClaimTemplates ?? []).map(
    (template) => `${template.metadata.name}-${set.metadata.name}-`,
  );
  for (const claim of list<Claim>(control, "persistentvolumeclaims", set.metadata.namespace ?? "")) {
    if (!prefixes.some((prefix) => claim.metadata.name.startsWith(prefix))) continue;
    const ordinal = ordinalOf(claim);
    const pod = find<Pod>(control, "pods", set.metadata.namespace ?? "", `${set.metadata.name}-${ordinal}`);
    const isCondemned = ordinal >= end && whenScaled === "Delete" && pod !== null;
    const isKeptBySet = whenDeleted === "Delete" && !(ordinal >= end && whenScaled === "Delete");
    const wanted: OwnerReference[] = [
      ...(isKeptBySet ? [ownerReferenceTo(set)] : []),
      ...(isCondemned && pod !== null ? [ownerReferenceTo(pod)] : []),
    ];
    const ours = new Set([set.metadata.uid, pod?.metadata.uid]);
    // The reference to a pod that is gone already stays: it is what lets garbage collection take the claim.
    const isWaiting = ordinal >= end && whenScaled === "Delete" && pod === null;
    const others = (claim.metadata.ownerReferences ?? []).filter(
      (item) => !ours.has(item.uid) && (item.kind !== "Pod" || isWaiting),
    );
    const next = [...others, ...wanted];
    const before = claim.metadata.ownerReferences ?? [];
    if (canonicalJson(before) === canonicalJson(next)) continue;
    const { ownerReferences: _before, ...metadata } = claim.metadata;
    const changed = next.length === 0 ? metadata : { ...metadata, ownerReferences: next };
    control.objects.store.put("persistentvolumeclaims", { ...claim, metadata: changed });
  }
}

function recordStatus(control: Control, given: StatefulSet, updateRevision: string): void {
  const set =
    find<StatefulSet>(control, "statefulsets.apps", given.metadata.namespace ?? "", given.metadata.name) ?? given;
  const pods = podsOf(control, set).filter((pod) => !isFinished(pod));
  const of = (revision: string): number =>
    pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision && isActive(pod)).length;
  const ready = pods.filter((pod) => isReady(pod) && isActive(pod)).length;
  const updated = of(updateRevision);
  const before = typeof set.status["currentRevision"] === "string" ? set.status["currentRevision"] : updateRevision;
  const isRolled = updated === set.spec.replicas && ready === set.spec.replicas;
  const currentRevision = isRolled ? updateRevision : before;
  const current = of(currentRevision);
  updateStatus(control, "statefulsets.apps", set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(current === 0 ? {} : { currentReplicas: current }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision,
    updateRevision,
    collisionCount: 0,
    availableReplicas: ready,
  });
}
