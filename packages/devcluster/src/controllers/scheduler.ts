import { recordOf } from "../kube/json.ts";
import type { Claim, Node, PersistentVolume, Pod, StorageClass } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";
import { quantityOf } from "../kube/quantity.ts";
import { find, list, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isFinished, withCondition } from "./pod-state.ts";

const source = { component: "default-scheduler" };
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";

/** Gives pods a node, or tells in their PodScheduled condition why there is none. */
export function schedulerController(control: Control): Controller {
  const controller: Controller = {
    name: "scheduler",
    keysOf({ resource, object, type }): readonly string[] {
      if (resource === "pods" && type !== "DELETED") {
        const pod = object as Pod;
        return pod.spec.nodeName === undefined && !isFinished(pod) ? [keyOf(object)] : isFinished(pod) ? waiting() : [];
      }
      // Room that becomes free, nodes that come back and volumes that bind may help pods that wait.
      const mayHelp = ["pods", "nodes", "persistentvolumeclaims"].includes(resource);
      return mayHelp ? waiting() : [];
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const pod = find<Pod>(control, "pods", namespace, name);
      if (pod === null || pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) {
        pending.delete(key);
        return;
      }
      if (schedule(control, pod)) pending.delete(key);
      else pending.add(key);
    },
  };
  const pending = new Set<string>();
  const waiting = (): readonly string[] => [...pending];
  return controller;
}

/** True when the pod got a node. */
function schedule(control: Control, pod: Pod): boolean {
  const volumes = volumeNeeds(control, pod);
  if (volumes.complaint !== null) return refuse(control, pod, volumes.complaint);
  const nodes = list<Node>(control, "nodes");
  const reasons = new Map<string, number>();
  const fitting: { node: Node; free: bigint }[] = [];
  const used = usedByNode(control);
  for (const node of nodes) {
    const why = whyNot(pod, node, used.get(node.metadata.name) ?? noUse, volumes.node);
    if (why.length === 0) fitting.push({ node, free: freeMemory(node, used.get(node.metadata.name) ?? noUse) });
    for (const reason of why) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const [best] = fitting.toSorted((a, b) => (a.free < b.free ? 1 : a.free > b.free ? -1 : 0));
  if (best === undefined) {
    const text = [...reasons]
      .map(([reason, count]) => `${count} ${reason}`)
      .toSorted()
      .join(", ");
    const preemption = `preemption: 0/${nodes.length} nodes are available: ${nodes.length} Preemption is not helpful for scheduling.`;
    return refuse(
      control,
      pod,
      `0/${nodes.length} nodes are available: ${text}. no new claims to deallocate, ${preemption}`,
    );
  }
  if (volumes.toBind.length > 0) {
    // The claims bind on this node first; their change brings the pod back here.
    for (const claim of volumes.toBind) selectNode(control, claim, best.node.metadata.name);
    return false;
  }
  bind(control, pod, best.node.metadata.name);
  return true;
}

function bind(control: Control, pod: Pod, nodeName: string): void {
  const earlier = (pod.status.conditions ?? []).filter((condition) => condition.type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: timestamp() };
  const status = { ...pod.status, conditions: [...earlier, scheduled] };
  const bound = control.objects.store.put("pods", { ...pod, spec: { ...pod.spec, nodeName }, status });
  const { namespace = "", name } = pod.metadata;
  control.events.record(
    bound,
    source,
    "Normal",
    "Scheduled",
    `Successfully assigned ${namespace}/${name} to ${nodeName}`,
  );
}

function refuse(control: Control, pod: Pod, message: string): false {
  const before = pod.status.conditions ?? [];
  const known = before.find((condition) => condition.type === "PodScheduled");
  if (known?.message === message) return false;
  const condition = {
    type: "PodScheduled",
    observedGeneration: pod.metadata.generation ?? 1,
    status: "False",
    lastProbeTime: null,
    reason: "Unschedulable",
    message,
  };
  const status = { ...pod.status, conditions: withCondition(before, condition) };
  const next = updateStatus(control, "pods", pod, status, "kube-scheduler");
  control.events.record(next, source, "Warning", "FailedScheduling", message);
  return false;
}

interface Use {
  readonly cpu: bigint;
  readonly memory: bigint;
  readonly pods: number;
}

const noUse: Use = { cpu: 0n, memory: 0n, pods: 0 };

export function requestsOf(pod: Pod): { readonly cpu: bigint; readonly memory: bigint } {
  const sum = (name: string): bigint =>
    pod.spec.containers.reduce(
      (total, container) => total + quantityOf(container.resources?.requests?.[name]).nano,
      0n,
    );
  const most = (name: string): bigint =>
    (pod.spec.initContainers ?? []).reduce((largest, container) => {
      const amount = quantityOf(container.resources?.requests?.[name]).nano;
      return amount > largest ? amount : largest;
    }, 0n);
  const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  return { cpu: larger(sum("cpu"), most("cpu")), memory: larger(sum("memory"), most("memory")) };
}

function usedByNode(control: Control): Map<string, Use> {
  const used = new Map<string, Use>();
  for (const pod of list<Pod>(control, "pods")) {
    const node = pod.spec.nodeName;
    if (node === undefined || isFinished(pod)) continue;
    const before = used.get(node) ?? noUse;
    const { cpu, memory } = requestsOf(pod);
    used.set(node, { cpu: before.cpu + cpu, memory: before.memory + memory, pods: before.pods + 1 });
  }
  return used;
}

function freeMemory(node: Node, use: Use): bigint {
  return quantityOf(node.status.allocatable["memory"]).nano - use.memory;
}

/** The reasons why a pod cannot run on a node, in the scheduler's words; empty when it can. */
function whyNot(pod: Pod, node: Node, use: Use, volumeNode: string | null): string[] {
  const labels = node.metadata.labels ?? {};
  const tolerates = (taint: { key: string; effect: string }): boolean =>
    (pod.spec.tolerations ?? []).some(
      (item) =>
        (item.key === undefined || item.key === taint.key) &&
        (item.effect === undefined || item.effect === taint.effect),
    );
  if (node.spec.unschedulable === true) return ["node(s) were unschedulable"];
  const taint = (node.spec.taints ?? []).find((item) => item.effect !== "PreferNoSchedule" && !tolerates(item));
  if (taint !== undefined) {
    return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`];
  }
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  if (!selected || !matchesAffinity(pod, labels)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (volumeNode !== null && volumeNode !== node.metadata.name) return ["node(s) had volume node affinity conflict"];
  const { cpu, memory } = requestsOf(pod);
  const room = (name: string): bigint => quantityOf(node.status.allocatable[name]).nano;
  return [
    ...(use.pods + 1 > Number(node.status.allocatable["pods"] ?? 110) ? ["Too many pods"] : []),
    ...(cpu > 0n && use.cpu + cpu > room("cpu") ? ["Insufficient cpu"] : []),
    ...(memory > 0n && use.memory + memory > room("memory") ? ["Insufficient memory"] : []),
  ];
}

function matchesAffinity(pod: Pod, labels: Readonly<Record<string, string>>): boolean {
  const required = recordOf(
    recordOf(recordOf(pod.spec.affinity)["nodeAffinity"])["requiredDuringSchedulingIgnoredDuringExecution"],
  );
  const terms = required["nodeSelectorTerms"];
  if (!Array.isArray(terms)) return true;
  return terms.some((term: unknown) => {
    const expressions = recordOf(term)["matchExpressions"];
    return (Array.isArray(expressions) ? expressions : []).every((item: unknown) => {
      const { key, operator, values } = recordOf(item);
      const value = labels[String(key)];
      const among = Array.isArray(values) && value !== undefined && values.includes(value);
      if (operator === "In") return among;
      if (operator === "NotIn") return !among;
      return operator === "Exists" ? value !== undefined : value === undefined;
    });
  });
}

interface VolumeNeeds {
  readonly complaint: string | null;
  /** The node that holds a bound local volume. */
  readonly node: string | null;
  /** Claims that wait for a pod and bind where it goes. */
  readonly toBind: readonly Claim[];
}

function volumeNeeds(control: Control, pod: Pod): VolumeNeeds {
  const namespace = pod.metadata.namespace ?? "";
  const total = list<Node>(control, "nodes").length;
  const toBind: Claim[] = [];
  let node: string | null = null;
  const refused = (complaint: string): VolumeNeeds => ({
    complaint: `0/${total} nodes are available: ${complaint}`,
    node,
    toBind,
  });
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = find<Claim>(control, "persistentvolumeclaims", namespace, claimName);
    if (claim === null) return refused(`persistentvolumeclaim "${claimName}" not found. not found`);
    if (claim.metadata.deletionTimestamp !== undefined) {
      return refused(`persistentvolumeclaim "${claimName}" is being deleted. not found`);
    }
    if (claim.status.phase === "Bound") {
      const volume = find<PersistentVolume>(control, "persistentvolumes", "", claim.spec.volumeName ?? "");
      const term = volume?.spec.nodeAffinity?.required.nodeSelectorTerms[0]?.matchExpressions[0];
      node = term?.values[0] ?? node;
      continue;
    }
    const storageClass = find<StorageClass>(
      control,
      "storageclasses.storage.k8s.io",
      "",
      claim.spec.storageClassName ?? "",
    );
    if (storageClass?.volumeBindingMode === "WaitForFirstConsumer") toBind.push(claim);
    else return refused("pod has unbound immediate PersistentVolumeClaims. not found");
  }
  return { complaint: null, node, toBind };
}

function selectNode(control: Control, claim: Claim, node: string): void {
  if (claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined) return;
  const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: node };
  control.objects.store.put("persistentvolumeclaims", { ...claim, metadata: { ...claim.metadata, annotations } });
}
