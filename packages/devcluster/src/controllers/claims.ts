import type { Claim, PersistentVolume, Pod, StorageClass } from "../kube/kinds.ts";
import { findDefaultStorageClass } from "../admission/claims.ts";
import type { GrowthFault } from "../faults.ts";
import { recordOf } from "../kube/json.ts";
import { quantityOf } from "../kube/quantity.ts";
import { create, find, list, remove, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isFinished } from "./pod-state.ts";
import { selectedNodeAnnotation } from "./scheduler.ts";

const source = { component: "persistentvolume-controller" };
const resizer = { component: "external-resizer" };
const bindDelayMs = 300;
const protection = "kubernetes.io/pvc-protection";
const classesKey = "storageclasses.storage.k8s.io";

/** Makes volumes for claims and binds them, keeps claims while pods use them, and ends volumes with their claims. */
export function claimController(control: Control): Controller {
  const dueAt = new Map<string, number>();
  const controller: Controller = {
    name: "claims",
    keysOf({ resource, object, type }): readonly string[] {
      if (resource === "persistentvolumeclaims") return type === "DELETED" ? [] : [keyOf(object)];
      if (resource === classesKey) {
        return list<Claim>(control, "persistentvolumeclaims")
          .filter((claim) => claim.status.phase === "Pending")
          .map(keyOf);
      }
      if (resource !== "pods") return [];
      const namespace = object.metadata.namespace ?? "";
      return ((object as Pod).spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
        persistentVolumeClaim === undefined ? [] : [`${namespace}/${persistentVolumeClaim.claimName}`],
      );
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const claim = find<Claim>(control, "persistentvolumeclaims", namespace, name);
      if (claim === null) {
        dueAt.delete(key);
        return;
      }
      if (claim.metadata.deletionTimestamp !== undefined) release(control, claim);
      else if (claim.status.phase === "Pending") provision(claim, key);
      else grow(control, claim);
    },
  };

  function provision(given: Claim, key: string): void {
    const claim = withDefaultClass(control, given);
    const className = claim.spec.storageClassName;
    if (className === undefined || className === "") {
      const why = "no persistent volumes available for this claim and no storage class is set";
      control.events.record(claim, source, "Normal", "FailedBinding", why);
      return;
    }
    const storageClass = find<StorageClass>(control, classesKey, "", className);
    if (storageClass === null) {
      const why = `storageclass.storage.k8s.io "${className}" not found`;
      control.events.record(claim, source, "Warning", "ProvisioningFailed", why);
      return;
    }
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (storageClass.volumeBindingMode === "WaitForFirstConsumer" && selected === undefined) {
      const why = "waiting for first consumer to be created before binding";
      control.events.record(claim, source, "Normal", "WaitForFirstConsumer", why);
      return;
    }
    if (control.faults.isBindingStopped(claim.metadata.name)) return;
    const due = dueAt.get(key) ?? Date.now() + control.pace(bindDelayMs);
    dueAt.set(key, due);
    if (Date.now() < due) {
      control.loop.later(controller, key, due - Date.now());
      return;
    }
    dueAt.delete(key);
    bindNewVolume(control, claim, storageClass, selected);
  }

  return controller;
}

/** A claim that was made before there was a default class gets it afterwards. */
function withDefaultClass(control: Control, claim: Claim): Claim {
  if (claim.spec.storageClassName !== undefined) return claim;
  const byDefault = findDefaultStorageClass(control.objects);
  if (byDefault === undefined) return claim;
  const spec = { ...claim.spec, storageClassName: byDefault.metadata.name };
  return control.objects.store.put("persistentvolumeclaims", { ...claim, spec }) as Claim;
}

function bindNewVolume(control: Control, claim: Claim, storageClass: StorageClass, node: string | undefined): void {
  const { namespace = "", name, uid } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  const claimRef = {
    kind: "PersistentVolumeClaim",
    namespace,
    name,
    uid,
    apiVersion: "v1",
    resourceVersion: claim.metadata.resourceVersion,
  };
  const { accessModes, volumeMode } = claim.spec;
  const capacity = claim.spec.resources.requests;
  const existing = find<PersistentVolume>(control, "persistentvolumes", "", volumeName);
  const volume =
    existing ??
    create<PersistentVolume>(control, "persistentvolumes", "", {
      metadata: {
        name: volumeName,
        annotations: { "pv.kubernetes.io/provisioned-by": storageClass.provisioner },
        finalizers: ["kubernetes.io/pv-protection"],
      },
      spec: {
        capacity,
        accessModes,
        volumeMode,
        claimRef,
        storageClassName: storageClass.metadata.name,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy,
        hostPath: { path: `/var/lib/devcluster/${volumeName}`, type: "" },
        ...(node === undefined ? {} : { nodeAffinity: onNode(node) }),
      },
    });
  updateStatus(control, "persistentvolumes", volume, { phase: "Bound" });
  const annotations = {
    ...claim.metadata.annotations,
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
    "volume.beta.kubernetes.io/storage-provisioner": storageClass.provisioner,
    "volume.kubernetes.io/storage-provisioner": storageClass.provisioner,
  };
  // Written past the update path: binding is the one change of a claim's spec that no client could make.
  const bound = control.objects.store.put("persistentvolumeclaims", {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName },
  }) as Claim;
  updateStatus(control, "persistentvolumeclaims", bound, { phase: "Bound", accessModes, capacity });
  const message = `Successfully provisioned volume ${volumeName} using ${storageClass.provisioner}`;
  control.events.record(bound, source, "Normal", "ProvisioningSucceeded", message);
}

function onNode(node: string): object {
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }];
  return { required: { nodeSelectorTerms: [{ matchExpressions }] } };
}

/** A larger request is granted at once, unless a fault stands: the node would make use of it while the volume is mounted. */
function grow(control: Control, claim: Claim): void {
  const wanted = claim.spec.resources.requests["storage"];
  const has = claim.status.capacity?.["storage"];
  if (wanted === undefined || has === undefined || quantityOf(wanted).nano <= quantityOf(has).nano) return;
  const fault = control.faults.growthFault();
  if (fault !== "failed") growVolume(control, claim, wanted);
  if (fault !== null) return noteGrowth(control, claim, fault);
  const { conditions: _conditions, ...status } = claim.status;
  updateStatus(control, "persistentvolumeclaims", claim, { ...status, capacity: { storage: wanted } });
}

function growVolume(control: Control, claim: Claim, wanted: string): void {
  const volume = find<PersistentVolume>(control, "persistentvolumes", "", claim.spec.volumeName ?? "");
  if (volume === null || recordOf(volume.spec["capacity"])["storage"] === wanted) return;
  control.objects.store.put("persistentvolumes", {
    ...volume,
    spec: { ...volume.spec, capacity: { storage: wanted } },
  });
}

const growthConditions = {
  failed: {
    type: "ControllerResizeError",
    message: "failed to expand volume with: rpc error: code = Internal desc = no space left on the storage",
  },
  waiting: {
    type: "FileSystemResizePending",
    message: "Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
  },
} as const satisfies Record<GrowthFault, object>;

function noteGrowth(control: Control, claim: Claim, fault: GrowthFault): void {
  const { type, message } = growthConditions[fault];
  if (claim.status.conditions?.some((condition) => condition.type === type) === true) return;
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const condition = { type, status: "True", lastProbeTime: null, lastTransitionTime, message };
  updateStatus(control, "persistentvolumeclaims", claim, { ...claim.status, conditions: [condition] });
  if (fault === "failed") control.events.record(claim, resizer, "Warning", "VolumeResizeFailed", message);
}

/** A claim that is being deleted goes when no pod uses it any more; then its volume is deleted or released. */
function release(control: Control, claim: Claim): void {
  const namespace = claim.metadata.namespace ?? "";
  const isUsed = list<Pod>(control, "pods", namespace).some(
    (pod) =>
      !isFinished(pod) &&
      pod.spec.nodeName !== undefined &&
      (pod.spec.volumes ?? []).some(({ persistentVolumeClaim: used }) => used?.claimName === claim.metadata.name),
  );
  if (isUsed) return;
  const finalizers = (claim.metadata.finalizers ?? []).filter((finalizer) => finalizer !== protection);
  const { finalizers: _finalizers, ...metadata } = claim.metadata;
  const next = { ...claim, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
  const { store } = control.objects;
  if (finalizers.length > 0) {
    if (finalizers.length !== (claim.metadata.finalizers ?? []).length) store.put("persistentvolumeclaims", next);
    return;
  }
  store.remove("persistentvolumeclaims", next);
  const volume = find<PersistentVolume>(control, "persistentvolumes", "", claim.spec.volumeName ?? "");
  if (volume === null) return;
  if (volume.spec.persistentVolumeReclaimPolicy !== "Delete") {
    updateStatus(control, "persistentvolumes", volume, { phase: "Released" });
    return;
  }
  remove(control, "persistentvolumes", { ...volume });
  const left = find<PersistentVolume>(control, "persistentvolumes", "", volume.metadata.name);
  if (left !== null) store.remove("persistentvolumes", left);
}
