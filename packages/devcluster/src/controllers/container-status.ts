import { createHash } from "node:crypto";
import type { Condition, Container, ContainerState, ContainerStatus, Pod } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";
import { withCondition } from "./pod-state.ts";

/** The pieces of a pod's status, in the shapes that a kubelet writes. */

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function imageIdOf(image: string): string {
  return `sha256:${digest(image)}`;
}

/** Every run of a container has an id of its own. */
export function containerIdOf(pod: Pod, name: string, run: number): string {
  return `containerd://${digest(`${pod.metadata.uid} ${name} ${run}`)}`;
}

function mountsOf(container: Container): object[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly === true ? { readOnly, recursiveReadOnly: "Disabled" } : {}),
  }));
}

export function waitingStatus(container: Container, reason: string, message?: string): ContainerStatus {
  const mounts = mountsOf(container);
  return {
    name: container.name,
    state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: container.image,
    imageID: "",
    started: false,
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

/** The status of a container that has run at least once. */
export function ranStatus(
  pod: Pod,
  container: Container,
  run: number,
  state: ContainerState,
  lastState: ContainerState,
): ContainerStatus {
  const mounts = mountsOf(container);
  const requests = container.resources?.requests;
  return {
    name: container.name,
    state,
    lastState,
    ready: false,
    restartCount: run,
    image: container.image,
    imageID: imageIdOf(container.image),
    containerID: containerIdOf(pod, container.name, state.waiting === undefined ? run : Math.max(0, run - 1)),
    started: state.running !== undefined,
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: container.resources ?? {},
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

export function terminated(
  pod: Pod,
  name: string,
  run: number,
  exitCode: number,
  reason: string,
  startedAt: string,
): ContainerState {
  const containerID = containerIdOf(pod, name, run);
  return { terminated: { exitCode, reason, startedAt, finishedAt: timestamp(), containerID } };
}

/** The five conditions of a pod, from what its containers do. */
export function podConditions(
  pod: Pod,
  facts: {
    readonly hasSandbox: boolean;
    readonly uninitialized: readonly string[];
    readonly unready: readonly string[];
    readonly isCompleted: boolean;
  },
): Condition[] {
  const observedGeneration = pod.metadata.generation ?? 1;
  const make = (type: string, isTrue: boolean, reason?: string, message?: string): Condition => ({
    type,
    observedGeneration,
    status: isTrue ? "True" : "False",
    lastProbeTime: null,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  });
  const unready = facts.unready.length > 0;
  const why = facts.isCompleted
    ? (["PodCompleted"] as const)
    : unready
      ? (["ContainersNotReady", `containers with unready status: [${facts.unready.join(" ")}]`] as const)
      : ([] as const);
  const isReady = !unready && !facts.isCompleted;
  const isInitialized = facts.uninitialized.length === 0;
  const wanted = [
    make("PodReadyToStartContainers", facts.hasSandbox),
    isInitialized
      ? make("Initialized", true, ...(facts.isCompleted ? (["PodCompleted"] as const) : []))
      : make(
          "Initialized",
          false,
          "ContainersNotInitialized",
          `containers with incomplete status: [${facts.uninitialized.join(" ")}]`,
        ),
    make("Ready", isReady, ...why),
    make("ContainersReady", isReady, ...why),
    make("PodScheduled", true),
  ];
  let conditions = pod.status.conditions ?? [];
  for (const condition of wanted) conditions = withCondition(conditions, condition);
  return wanted.flatMap(({ type }) => conditions.filter((condition) => condition.type === type));
}
