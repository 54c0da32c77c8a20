import type { Condition, Node, Pod } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";
import { parseQuantity } from "../kube/quantity.ts";
import { create, find, list, remove, updateStatus, type Control } from "./control.ts";
import type { Controller } from "./loop.ts";
import { withCondition } from "./pod-state.ts";

export interface NodeShape {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  readonly cpu: string;
  readonly memory: string;
  readonly pool?: string;
}

/** Three ordinary PCs: a large one that also runs the control plane, and two workers. */
export const defaultNodes: readonly NodeShape[] = [
  { name: "node-1", role: "control-plane", cpu: "24", memory: "64Gi" },
  { name: "node-2", role: "worker", cpu: "16", memory: "32Gi" },
  { name: "node-3", role: "worker", cpu: "8", memory: "32Gi" },
];

const evictionDelayMs = 300_000;
const unreachable = "node.kubernetes.io/unreachable";

/** Makes a node as it looks after it has registered itself. Nodes that are already there are left as they are. */
export function registerNode(control: Control, shape: NodeShape, index: number): void {
  if (find<Node>(control, "nodes", "", shape.name) !== null) return;
  if (parseQuantity(shape.cpu) === null || parseQuantity(shape.memory) === null) {
    throw new Error(`node ${shape.name}: cpu and memory must be quantities`);
  }
  const labels: Record<string, string> = {
    "beta.kubernetes.io/arch": "amd64",
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/hostname": shape.name,
    "kubernetes.io/os": "linux",
    ...(shape.role === "control-plane" ? { "node-role.kubernetes.io/control-plane": "true" } : {}),
    ...(shape.pool === undefined ? {} : { "sewa.dev/pool": shape.pool }),
  };
  const annotations = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
  const podCIDR = `10.42.${index}.0/24`;
  const node = create<Node>(control, "nodes", "", {
    metadata: { name: shape.name, labels, annotations },
    spec: { podCIDR, podCIDRs: [podCIDR] },
  });
  const resources = {
    cpu: shape.cpu,
    "ephemeral-storage": "262144000Ki",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: shape.memory,
    pods: "110",
  };
  const kubelet = { kubeletEndpoint: { Port: 10250 } };
  const nodeInfo = {
    machineID: shape.name,
    systemUUID: shape.name,
    bootID: shape.name,
    kernelVersion: "6.0.0",
    osImage: "development cluster",
    containerRuntimeVersion: "containerd://1.6.20",
    kubeletVersion: "v1.34.9",
    kubeProxyVersion: "",
    operatingSystem: "linux",
    architecture: "amd64",
  };
  updateStatus(
    control,
    "nodes",
    node,
    {
      capacity: resources,
      allocatable: resources,
      conditions: healthyConditions(),
      addresses: [
        { type: "InternalIP", address: `10.77.0.${index + 2}` },
        { type: "Hostname", address: shape.name },
      ],
      daemonEndpoints: kubelet,
      nodeInfo,
    },
    "kubelet",
  );
}

function healthyConditions(): Condition[] {
  const now = timestamp();
  const row = (type: string, status: string, reason: string, message: string): Condition =>
    ({ type, status, lastHeartbeatTime: now, lastTransitionTime: now, reason, message }) as Condition;
  return [
    row("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    row("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    row("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    row("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
  ];
}

/** A node that stops answering keeps its last pods, which are no longer ready; a node that comes back takes them up again. */
export function setNodeReady(control: Control, name: string, isAnswering: boolean): void {
  const node = find<Node>(control, "nodes", "", name);
  if (node === null) throw new Error(`there is no node ${name}`);
  const lost = { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
  const conditions = isAnswering
    ? healthyConditions().reduce((list, condition) => withCondition(list, condition), node.status.conditions)
    : node.status.conditions.map((condition) => withCondition([condition], { ...condition, ...lost })[0] ?? condition);
  const others = (node.spec.taints ?? []).filter((taint) => taint.key !== unreachable);
  const taints = isAnswering
    ? others
    : [
        ...others,
        { key: unreachable, effect: "NoSchedule" },
        { key: unreachable, effect: "NoExecute", timeAdded: timestamp() },
      ];
  const { taints: _taints, ...spec } = node.spec;
  const tainted = control.objects.store.put("nodes", {
    ...node,
    spec: taints.length === 0 ? spec : { ...spec, taints },
  }) as Node;
  updateStatus(control, "nodes", tainted, { ...tainted.status, conditions }, "kubelet");
  const reason = isAnswering ? "NodeReady" : "NodeNotReady";
  control.events.record(
    tainted,
    { component: "node-controller" },
    "Normal",
    reason,
    `Node ${name} status is now: ${reason}`,
  );
  for (const pod of podsOf(control, name)) markPod(control, pod, isAnswering);
}

function podsOf(control: Control, node: string): Pod[] {
  return list<Pod>(control, "pods").filter((pod) => pod.spec.nodeName === node);
}

function markPod(control: Control, pod: Pod, isAnswering: boolean): void {
  const containersReady = pod.status.containerStatuses?.every((status) => status.ready) === true;
  const conditions = (pod.status.conditions ?? []).map((condition) =>
    condition.type === "Ready" && containersReady
      ? (withCondition([condition], { ...condition, status: isAnswering ? "True" : "False" })[0] ?? condition)
      : condition,
  );
  updateStatus(control, "pods", pod, { ...pod.status, conditions });
}

/** Deletes the pods of a node that stays lost. They hang in Terminating, as nobody is there to stop them. */
export function nodeController(control: Control): Controller {
  const lostSince = new Map<string, number>();
  const controller: Controller = {
    name: "node",
    keysOf: ({ resource, object, type }) => (resource === "nodes" && type !== "DELETED" ? [object.metadata.name] : []),
    reconcile(name): void {
      const node = find<Node>(control, "nodes", "", name);
      const isLost =
        node?.spec.taints?.some((taint) => taint.key === unreachable && taint.effect === "NoExecute") === true;
      if (!isLost) {
        lostSince.delete(name);
        return;
      }
      const since = lostSince.get(name) ?? Date.now();
      lostSince.set(name, since);
      const waits = since + Math.max(control.pace(evictionDelayMs), 5_000) - Date.now();
      if (waits > 0) return control.loop.later(controller, name, waits);
      for (const pod of podsOf(control, name))
        if (pod.metadata.deletionTimestamp === undefined) remove(control, "pods", pod);
    },
  };
  return controller;
}
