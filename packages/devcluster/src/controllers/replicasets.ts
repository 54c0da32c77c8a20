import { ApiError } from "../kube/status.ts";
import type { Condition, Pod, PodTemplate, ReplicaSet } from "../kube/kinds.ts";
import { controllerOf, ownedBy, ownerReferenceTo, type KubeObject } from "../kube/object.ts";
import { selectorMatcher } from "../kube/selector.ts";
import { create, find, list, remove, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isActive, isReady, withCondition } from "./pod-state.ts";

const source = { component: "replicaset-controller" };
/** A refused pod is tried again after a growing time, so that a raised quota is noticed late, not at once. */
const retryMs = { first: 100, least: 1_000, most: 15_000 };

interface Refusal {
  readonly error: ApiError;
  readonly count: number;
  readonly retryAt: number;
  readonly generation: number | undefined;
}

/** The body of a pod made from a template for its owner. */
export function podFromTemplate(
  template: PodTemplate,
  owner: KubeObject,
  metadata: Record<string, unknown>,
): Record<string, unknown> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [ownerReferenceTo(owner)],
      ...metadata,
    },
    spec: structuredClone(template.spec),
  };
}

/** Keeps as many pods as a ReplicaSet asks for. */
export function replicaSetController(control: Control): Controller {
  const refusals = new Map<string, Refusal>();
  const controller: Controller = {
    name: "replicaset",
    keysOf({ resource, object }): readonly string[] {
      if (resource === "replicasets.apps") return [keyOf(object)];
      const owner = resource === "pods" ? controllerOf(object) : undefined;
      return owner?.kind === "ReplicaSet" ? [`${object.metadata.namespace ?? ""}/${owner.name}`] : [];
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const set = find<ReplicaSet>(control, "replicasets.apps", namespace, name);
      if (set === null) {
        refusals.delete(key);
        return;
      }
      const active = adoptPods(control, set).filter(isActive);
      const before = refusals.get(key);
      const isBackingOff =
        before !== undefined && before.generation === set.metadata.generation && Date.now() < before.retryAt;
      if (isBackingOff && active.length < set.spec.replicas) {
        control.loop.later(controller, key, before.retryAt - Date.now());
        return recordStatus(control, set, before.error);
      }
      const error = set.metadata.deletionTimestamp === undefined ? scale(control, set, active) : null;
      if (error === null) refusals.delete(key);
      else {
        const count = (before?.count ?? 0) + 1;
        const waits = Math.min(retryMs.first * 2 ** count, Math.max(control.pace(retryMs.most), retryMs.least));
        refusals.set(key, { error, count, retryAt: Date.now() + waits, generation: set.metadata.generation });
        control.loop.later(controller, key, waits);
      }
      recordStatus(control, set, error);
    },
  };
  return controller;
}

/** Pods without an owner that match the selector become pods of the set. */
function adoptPods(control: Control, set: ReplicaSet): Pod[] {
  const matches = selectorMatcher(set.spec.selector);
  return list<Pod>(control, "pods", set.metadata.namespace ?? "").flatMap((pod) => {
    if (ownedBy(pod, set)) return [pod];
    const isOrphan = controllerOf(pod) === undefined && isActive(pod) && matches(pod.metadata.labels ?? {});
    if (!isOrphan || set.metadata.deletionTimestamp !== undefined) return [];
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), ownerReferenceTo(set)];
    return [control.objects.store.put("pods", { ...pod, metadata: { ...pod.metadata, ownerReferences } }) as Pod];
  });
}

/** Makes or deletes pods; answers why the server refused one. */
function scale(control: Control, set: ReplicaSet, active: readonly Pod[]): ApiError | null {
  const difference = set.spec.replicas - active.length;
  for (let i = 0; i < difference; i++) {
    const body = podFromTemplate(set.spec.template, set, { generateName: `${set.metadata.name}-` });
    try {
      const pod = create<Pod>(control, "pods", set.metadata.namespace ?? "", body);
      control.events.record(set, source, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      control.events.record(set, source, "Warning", "FailedCreate", `Error creating: ${error.message}`);
      return error;
    }
  }
  for (const pod of [...active].sort(leastUsefulFirst).slice(0, Math.max(0, -difference))) {
    remove(control, "pods", pod);
    control.events.record(set, source, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
  }
  return null;
}

/** Pods that do not serve go first, then the youngest. */
function leastUsefulFirst(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number =>
    pod.spec.nodeName === undefined ? 0 : pod.status.phase === "Pending" ? 1 : isReady(pod) ? 3 : 2;
  return rank(a) - rank(b) || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);
}

function recordStatus(control: Control, set: ReplicaSet, refusal: ApiError | null): void {
  const namespace = set.metadata.namespace ?? "";
  const active = list<Pod>(control, "pods", namespace).filter((pod) => ownedBy(pod, set) && isActive(pod));
  const ready = active.filter(isReady).length;
  const matches = selectorMatcher({ matchLabels: set.spec.template.metadata?.labels ?? {} });
  const labeled = active.filter((pod) => matches(pod.metadata.labels ?? {})).length;
  const failure: Condition | null =
    refusal === null
      ? null
      : { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: refusal.message };
  const kept = (set.status.conditions ?? []).filter((condition) => condition.type !== "ReplicaFailure");
  const earlier = (set.status.conditions ?? []).filter((condition) => condition.type === "ReplicaFailure");
  const conditions = failure === null ? kept : withCondition([...kept, ...earlier], failure);
  updateStatus(control, "replicasets.apps", set, {
    replicas: active.length,
    ...(labeled === 0 ? {} : { fullyLabeledReplicas: labeled }),
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation ?? 1,
    ...(conditions.length === 0 ? {} : { conditions }),
  });
}
