import type { Container, ContainerStatus, Node, Pod, PodStatus } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";
import { behaviourOf, missingConfig, missingVolume, type Behaviour } from "./behaviour.ts";
import { podConditions, ranStatus, terminated, waitingStatus } from "./container-status.ts";
import { find, list, remove, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isFinished, isReady } from "./pod-state.ts";

/** Simulated durations at pace 1; together an app is ready about four seconds after it was made. */
const durations = {
  volumes: 200,
  pull: 2_000,
  start: 300,
  ready: 1_000,
  jobRun: 1_000,
  jobEnd: 300,
  stop: 1_000,
  pullRetry: 10_000,
  firstRestart: 1_000,
  backOff: 10_000,
};
/** Back-offs are waited at pace 0 as well, or a crashing container would keep the processor busy. */
const shortestBackOffMs = { first: 100, most: 5_000 };
const longestBackOffMs = 300_000;

/**
 * The nodes' agents: every bound pod goes from ContainerCreating over Running to Ready, or to what a fault makes of it, and
 * is stopped when it is deleted. Each call does the one step that is due and asks to be called again for the next.
 */
export function kubeletController(control: Control): Controller {
  // By pod and step: several can be on their way at once, such as a container's run and its readiness.
  const steps = new Map<string, Map<string, number>>();
  const controller: Controller = {
    name: "kubelet",
    keysOf({ resource, object, type }): readonly string[] {
      if (resource === "pods")
        return type === "DELETED" || (object as Pod).spec.nodeName !== undefined ? [keyOf(object)] : [];
      // A missing Secret or ConfigMap that appears lets waiting containers go on.
      if (type !== "ADDED" || (resource !== "secrets" && resource !== "configmaps")) return [];
      return list<Pod>(control, "pods", object.metadata.namespace ?? "")
        .filter((pod) => pod.status.phase === "Pending")
        .map(keyOf);
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const pod = find<Pod>(control, "pods", namespace, name);
      if (pod?.spec.nodeName === undefined) {
        steps.delete(key);
        return;
      }
      if (!isNodeAnswering(control, pod.spec.nodeName)) return;
      const isDue = (step: string, delayMs: number): boolean => {
        const id = `${pod.metadata.uid} ${step}`;
        const known = steps.get(key) ?? new Map<string, number>();
        const due = known.get(id) ?? Date.now() + delayMs;
        steps.set(key, known.set(id, due));
        if (due <= Date.now()) {
          // The same step may come again, as a pull does after its back-off.
          known.delete(id);
          return true;
        }
        control.loop.later(controller, key, due - Date.now());
        return false;
      };
      new PodWorker(control, pod, isDue).step();
    },
  };
  return controller;
}

function isNodeAnswering(control: Control, nodeName: string): boolean {
  const node = find<Node>(control, "nodes", "", nodeName);
  return node?.status.conditions.find((condition) => condition.type === "Ready")?.status === "True";
}

class PodWorker {
  readonly #control: Control;
  readonly #pod: Pod;
  /** True when the delay of a step, counted from the first question for it, is over. */
  readonly #isDue: (step: string, delayMs: number) => boolean;

  constructor(control: Control, pod: Pod, isDue: (step: string, delayMs: number) => boolean) {
    this.#control = control;
    this.#pod = pod;
    this.#isDue = isDue;
  }

  step(): void {
    const pod = this.#pod;
    if (pod.metadata.deletionTimestamp !== undefined) return this.#stop();
    if (isFinished(pod)) return;
    if (pod.status.containerStatuses === undefined) return this.#accept();
    if (this.#isOverDeadline()) return;
    const inits = pod.spec.initContainers ?? [];
    for (const init of inits) {
      const status = pod.status.initContainerStatuses?.find((item) => item.name === init.name);
      const isDone =
        init.restartPolicy === "Always"
          ? status?.state.running !== undefined
          : status?.state.terminated?.exitCode === 0;
      if (!isDone) return this.#advance(init, status, true);
    }
    for (const container of pod.spec.containers) {
      const status = pod.status.containerStatuses.find((item) => item.name === container.name);
      if (status?.state.running === undefined && status?.state.terminated?.exitCode !== 0)
        return this.#advance(container, status, false);
    }
    this.#settle();
  }

  /** First contact with the node: nothing started yet. */
  #accept(): void {
    const pod = this.#pod;
    const inits = pod.spec.initContainers ?? [];
    const reason = inits.length === 0 ? "ContainerCreating" : "PodInitializing";
    const hostIP = this.#hostIP();
    this.#write({
      ...pod.status,
      phase: "Pending",
      hostIP,
      hostIPs: [{ ip: hostIP }],
      startTime: timestamp(),
      ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map((item) => waitingStatus(item, reason)) }),
      containerStatuses: pod.spec.containers.map((item) => waitingStatus(item, reason)),
    });
  }

  #hostIP(): string {
    const node = find<Node>(this.#control, "nodes", "", this.#pod.spec.nodeName ?? "");
    const [first] = (node?.status.addresses ?? []) as { address?: string }[];
    return first?.address ?? "127.0.0.1";
  }

  /** Brings one container that is not running a step further. */
  #advance(container: Container, status: ContainerStatus | undefined, isInit: boolean): void {
    const { faults, pace } = this.#control;
    const waiting = status?.state.waiting?.reason ?? "";
    const run = status?.restartCount ?? 0;
    const hasRun = status?.state.terminated !== undefined || status?.lastState.terminated !== undefined;
    if (status?.state.terminated !== undefined && !this.#restarts()) return this.#settle();
    if (hasRun) return this.#restart(container, status as ContainerStatus, isInit);
    const missing = missingVolume(this.#control, this.#pod);
    if (missing !== null) {
      const message = `MountVolume.SetUp failed for volume "${missing.volume}" : ${missing.why}`;
      if (this.#isDue(`mount ${container.name}`, pace(durations.volumes)))
        this.#event("Warning", "FailedMount", message);
      return;
    }
    if (faults.pullFails(container.image)) return this.#failPull(container, waiting, isInit);
    if (!this.#isDue(`start ${container.name} ${run}`, pace(durations.pull + durations.start))) return;
    this.#eventFor(container, "Normal", "Pulled", `Container image "${container.image}" already present on machine`);
    const broken = faults.configFails(container.image) ? "couldn't find a key in a Secret" : null;
    const config = broken ?? missingConfig(this.#control, this.#pod, container);
    if (config !== null) {
      if (waiting !== "CreateContainerConfigError") this.#eventFor(container, "Warning", "Failed", `Error: ${config}`);
      return this.#replace(waitingStatus(container, "CreateContainerConfigError", config), isInit, true);
    }
    this.#start(container, run, isInit, {});
  }

  #start(container: Container, run: number, isInit: boolean, lastState: ContainerStatus["lastState"]): void {
    this.#eventFor(container, "Normal", "Created", `Created container: ${container.name}`);
    this.#eventFor(container, "Normal", "Started", `Started container ${container.name}`);
    const behaviour = this.#behaviour(container, isInit);
    const startedAt = timestamp();
    const endsAtOnce = behaviour.kind === "ends" && behaviour.isPrompt;
    const state = endsAtOnce
      ? terminated(this.#pod, container.name, run, behaviour.exitCode, behaviour.reason, startedAt)
      : { running: { startedAt } };
    // Without a probe a container is ready as soon as it runs.
    const hasProbe = container.readinessProbe !== undefined || container.startupProbe !== undefined;
    const ready = !endsAtOnce && !hasProbe && !this.#control.faults.isNeverReady(container.image);
    this.#replace({ ...ranStatus(this.#pod, container, run, state, lastState), ready }, isInit, true);
  }

  #behaviour(container: Container, isInit: boolean): Behaviour {
    return behaviourOf(this.#control.faults, this.#pod, container, isInit);
  }

  #restarts(): boolean {
    return this.#pod.spec.restartPolicy !== "Never";
  }

  /** The image cannot be pulled: an error first, then a growing back-off between tries. */
  #failPull(container: Container, waiting: string, isInit: boolean): void {
    const { pace } = this.#control;
    const { image } = container;
    const why =
      `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ` +
      "failed to do request: dial tcp: lookup of the registry failed: Temporary failure in name resolution";
    if (waiting !== "ErrImagePull" && waiting !== "ImagePullBackOff") {
      if (!this.#isDue(`pull ${container.name}`, pace(durations.pull))) return;
      this.#eventFor(container, "Normal", "Pulling", `Pulling image "${image}"`);
      this.#eventFor(container, "Warning", "Failed", `Failed to pull image "${image}": ${why}`);
      this.#eventFor(container, "Warning", "Failed", "Error: ErrImagePull");
      return this.#replace(waitingStatus(container, "ErrImagePull", why), isInit, true);
    }
    if (waiting === "ErrImagePull") {
      if (!this.#isDue(`back-off ${container.name}`, Math.max(pace(durations.pullRetry), shortestBackOffMs.first)))
        return;
      this.#eventFor(container, "Normal", "BackOff", `Back-off pulling image "${image}"`);
      this.#eventFor(container, "Warning", "Failed", "Error: ImagePullBackOff");
      const message = `Back-off pulling image "${image}": ErrImagePull: ${why}`;
      return this.#replace(waitingStatus(container, "ImagePullBackOff", message), isInit, true);
    }
  }

  /** After an end: once soon, then with CrashLoopBackOff and a back-off that doubles. */
  #restart(container: Container, status: ContainerStatus, isInit: boolean): void {
    const { pace } = this.#control;
    const run = status.restartCount;
    const ended = status.state.terminated ?? status.lastState.terminated;
    const lastState = ended === undefined ? {} : { terminated: ended };
    const backOff = Math.min(durations.backOff * 2 ** Math.max(0, run - 1), longestBackOffMs);
    const shortest = Math.min(shortestBackOffMs.first * 2 ** run, shortestBackOffMs.most);
    if (status.state.waiting?.reason === "CrashLoopBackOff") {
      if (!this.#isDue(`restart ${container.name} ${run}`, Math.max(pace(backOff), shortest))) return;
      return this.#start(container, run + 1, isInit, lastState);
    }
    if (!this.#isDue(`ended ${container.name} ${run}`, Math.max(pace(durations.firstRestart), shortest))) return;
    if (run === 0) return this.#start(container, 1, isInit, lastState);
    const { name, namespace = "", uid } = this.#pod.metadata;
    const where = `${name}_${namespace}(${uid})`;
    const message = `back-off ${shownSeconds(backOff)} restarting failed container=${container.name} pod=${where}`;
    this.#eventFor(
      container,
      "Warning",
      "BackOff",
      `Back-off restarting failed container ${container.name} in pod ${where}`,
    );
    const waiting = { waiting: { reason: "CrashLoopBackOff", message } };
    this.#replace(ranStatus(this.#pod, container, run, waiting, lastState), isInit, true);
  }

  /** All containers run or have ended: readiness, and the end of pods that end by themselves. */
  #settle(): void {
    const { pace, faults } = this.#control;
    const pod = this.#pod;
    const statuses = pod.status.containerStatuses ?? [];
    for (const container of pod.spec.containers) {
      const status = statuses.find((item) => item.name === container.name);
      const behaviour = this.#behaviour(container, false);
      if (status?.state.running === undefined || behaviour.kind !== "ends") continue;
      if (!this.#isDue(`run ${container.name} ${status.restartCount}`, pace(durations.jobRun))) continue;
      const { startedAt } = status.state.running;
      const state = terminated(
        pod,
        container.name,
        status.restartCount,
        behaviour.exitCode,
        behaviour.reason,
        startedAt,
      );
      return this.#replace(ranStatus(pod, container, status.restartCount, state, status.lastState), false, true);
    }
    const restarts = pod.spec.restartPolicy;
    const ended = statuses.filter((item) => item.state.terminated !== undefined);
    if (ended.length === statuses.length && restarts !== "Always") {
      const isFailed = ended.some((item) => item.state.terminated?.exitCode !== 0);
      if (!this.#isDue("end", pace(durations.jobEnd))) return;
      return this.#write({ ...pod.status, phase: isFailed ? "Failed" : "Succeeded" });
    }
    const again = ended.find(() => restarts === "Always");
    const container = pod.spec.containers.find((item) => item.name === again?.name);
    if (again !== undefined && container !== undefined) return this.#restart(container, again, false);
    const lost = statuses.filter((item) => item.ready && faults.isNeverReady(item.image));
    if (lost.length > 0) {
      const containerStatuses = statuses.map((item) => (lost.includes(item) ? { ...item, ready: false } : item));
      return this.#write({ ...pod.status, containerStatuses });
    }
    const unready = statuses.filter((item) => item.state.running !== undefined && !item.ready);
    const isHeld = pod.spec.containers.some((item) => faults.isNeverReady(item.image));
    if (unready.length === 0 && (isReady(pod) || ended.length > 0)) return;
    if (isHeld || !this.#isDue("ready", pace(durations.ready))) return;
    const containerStatuses = statuses.map((item) =>
      item.state.running === undefined ? item : { ...item, ready: true, started: true },
    );
    this.#write({ ...pod.status, containerStatuses });
  }

  #isOverDeadline(): boolean {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const { startTime } = this.#pod.status;
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    if (!this.#isDue("deadline", Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now())) return false;
    const message = "Pod was active on the node longer than the specified deadline";
    this.#write({ ...this.#ended(137, "Error"), phase: "Failed", reason: "DeadlineExceeded", message });
    return true;
  }

  /** A deleted pod: its containers end within the grace period, then it is gone. */
  #stop(): void {
    const { pace } = this.#control;
    const pod = this.#pod;
    const isRunning = pod.status.containerStatuses?.some((status) => status.state.running !== undefined) === true;
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    // The node is done with a pod of grace 0; only a finalizer still holds it.
    if (graceMs === 0 && (pod.metadata.finalizers ?? []).length > 0) return;
    if (isRunning) {
      for (const { name } of pod.spec.containers)
        this.#eventAt(name, "Normal", "Killing", `Stopping container ${name}`);
      if (!this.#isDue("stop", Math.min(pace(durations.stop), graceMs))) return;
      const status = this.#ended(0, "Completed");
      return this.#write({ ...status, phase: "Succeeded" });
    }
    if (!this.#isDue("delete", pace(durations.volumes))) return;
    remove(this.#control, "pods", pod, { gracePeriodSeconds: 0, uid: pod.metadata.uid });
  }

  #ended(exitCode: number, reason: string): PodStatus {
    const pod = this.#pod;
    const containerStatuses = (pod.status.containerStatuses ?? []).map((status) => {
      const running = status.state.running;
      if (running === undefined) return { ...status, ready: false };
      const state = terminated(pod, status.name, status.restartCount, exitCode, reason, running.startedAt);
      return { ...status, state, ready: false, started: false };
    });
    return { ...pod.status, containerStatuses };
  }

  /** Puts one container's status in place and derives phase and conditions from all of them. */
  #replace(next: ContainerStatus, isInit: boolean, hasSandbox: boolean): void {
    const { status } = this.#pod;
    const member = isInit ? "initContainerStatuses" : "containerStatuses";
    const statuses = (status[member] as ContainerStatus[] | undefined) ?? [];
    const isInitDone = isInit && next.state.terminated?.exitCode === 0;
    const settled = isInitDone || (isInit && next.state.running !== undefined) ? { ...next, ready: true } : next;
    const replaced = statuses.map((item) => (item.name === next.name ? settled : item));
    this.#write({ ...status, [member]: replaced, ...(hasSandbox ? this.#address() : {}) });
  }

  #address(): { podIP: string; podIPs: { ip: string }[] } {
    const { uid } = this.#pod.metadata;
    const number = Number.parseInt(uid.slice(0, 6), 16) % 65_000;
    const ip = this.#pod.status.podIP ?? `10.42.${number >> 8}.${(number & 255) + 1}`;
    return { podIP: ip, podIPs: [{ ip }] };
  }

  #write(status: PodStatus): void {
    const pod = this.#pod;
    const containers = status.containerStatuses ?? [];
    const inits = status.initContainerStatuses ?? [];
    const isOver = status.phase === "Succeeded" || status.phase === "Failed";
    const allEnded = containers.length > 0 && containers.every((item) => item.state.terminated !== undefined);
    const endsForGood = isOver || (allEnded && pod.spec.restartPolicy === "Never");
    const isFailed =
      status.phase === "Failed" || (allEnded && containers.some((item) => item.state.terminated?.exitCode !== 0));
    const hasStarted = containers.some(
      (item) =>
        item.state.running !== undefined ||
        item.state.terminated !== undefined ||
        item.lastState.terminated !== undefined,
    );
    const conditions = podConditions(pod, {
      hasSandbox: status.podIP !== undefined && !isOver,
      uninitialized: inits.filter((item) => !item.ready).map((item) => item.name),
      unready: containers.filter((item) => !item.ready).map((item) => item.name),
      isCompleted: endsForGood && !isFailed,
    });
    const shown = endsForGood && isFailed ? conditions.map(asFailed) : conditions;
    updateStatus(
      this.#control,
      "pods",
      pod,
      {
        observedGeneration: pod.metadata.generation ?? 1,
        ...status,
        phase: isOver ? status.phase : hasStarted ? "Running" : "Pending",
        conditions: shown,
      },
      "kubelet",
    );
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#control.events.record(
      this.#pod,
      { component: "kubelet", host: this.#pod.spec.nodeName ?? "" },
      type,
      reason,
      message,
    );
  }

  #eventFor(container: Container, type: "Normal" | "Warning", reason: string, message: string): void {
    this.#eventAt(container.name, type, reason, message);
  }

  /** Stopping is looked at more than once; its event is written once per pod. */
  #eventAt(container: string, type: "Normal" | "Warning", reason: string, message: string): void {
    const source = { component: "kubelet", host: this.#pod.spec.nodeName ?? "" };
    if (reason === "Killing" && this.#control.events.isKnown(this.#pod, reason, message)) return;
    const isInit = this.#pod.spec.initContainers?.some((item) => item.name === container) === true;
    const list = isInit ? "initContainers" : "containers";
    this.#control.events.record(this.#pod, source, type, reason, message, `spec.${list}{${container}}`);
  }
}

function asFailed(condition: { type: string; status: string }): { type: string; status: string } {
  if (condition.type !== "Ready" && condition.type !== "ContainersReady") return condition;
  const { message: _message, ...rest } = condition as { type: string; status: string; message?: string };
  return Object.assign(rest, { reason: "PodFailed" });
}

function shownSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
