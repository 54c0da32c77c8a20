import { ApiError } from "../kube/status.ts";
import type { Condition, Job, JobStatus, Pod } from "../kube/kinds.ts";
import { controllerOf, ownedBy, timestamp } from "../kube/object.ts";
import { create, find, list, remove, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";
import { isActive, isFinished, isReady } from "./pod-state.ts";
import { podFromTemplate } from "./replicasets.ts";

const source = { component: "job-controller" };
/** Held by each pod of a Job until the Job has counted its end. */
const tracking = "batch.kubernetes.io/job-tracking";
const podBackOffMs = { first: 10_000, least: 100, most: 360_000 };

/** Runs Jobs: makes pods, counts how they end, and closes the Job as Complete or Failed. */
export function jobController(control: Control): Controller {
  const nextPodAt = new Map<string, number>();
  const controller: Controller = {
    name: "job",
    keysOf({ resource, object }): readonly string[] {
      if (resource === "jobs.batch") return [keyOf(object)];
      const owner = resource === "pods" ? controllerOf(object) : undefined;
      return owner?.kind === "Job" ? [`${object.metadata.namespace ?? ""}/${owner.name}`] : [];
    },
    reconcile(key): void {
      const [namespace, name] = splitKey(key);
      const job = find<Job>(control, "jobs.batch", namespace, name);
      if (job === null) {
        nextPodAt.delete(key);
        releaseOrphans(control, namespace, name);
        return;
      }
      const pods = list<Pod>(control, "pods", namespace).filter((pod) => ownedBy(pod, job));
      if (job.metadata.deletionTimestamp !== undefined) return release(control, countEnds(job, pods));
      if (isOver(job)) return afterEnd(job, key, pods);
      const started = ensureStarted(job);
      if (started === null) return;
      run(started, key, pods);
    },
  };

  /** Null when a status was written and the next round goes on from there. */
  function ensureStarted(job: Job): Job | null {
    if (job.spec.suspend) {
      suspend(control, job);
      return null;
    }
    if (job.status.startTime !== undefined) return job;
    const conditions = (job.status.conditions ?? []).map((item) =>
      item.type === "Suspended" ? { ...item, ...made("Suspended", "False", "JobResumed", "Job resumed") } : item,
    );
    const status = {
      ...baseStatus(job.status),
      startTime: timestamp(),
      ...(conditions.length === 0 ? {} : { conditions }),
    };
    return updateStatus(control, "jobs.batch", job, status);
  }

  function run(job: Job, key: string, pods: readonly Pod[]): void {
    const counted = countEnds(job, pods);
    const succeeded = (job.status.succeeded ?? 0) + counted.succeeded.length;
    const failed = (job.status.failed ?? 0) + counted.failed.length;
    const restarts = pods.filter(isActive).reduce((sum, pod) => sum + restartsOf(pod), 0);
    const wanted = job.spec.completions ?? 1;
    const active = pods.filter(isActive);
    const failure = failureOf(job, failed, restarts);
    if (failure !== null) return close(control, job, pods, counted, failure, "Failed");
    if (succeeded >= wanted) {
      const reason = { reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
      return close(control, job, pods, counted, reason, "Complete");
    }
    if (counted.failed.length > 0) {
      const backOff = podBackOffMs.first * 2 ** Math.max(0, failed - 1);
      nextPodAt.set(key, Date.now() + Math.max(control.pace(Math.min(backOff, podBackOffMs.most)), podBackOffMs.least));
    }
    release(control, counted);
    const latestJob = record(control, job, active, succeeded, failed);
    watchDeadline(latestJob, key);
    const missing = Math.min(job.spec.parallelism, wanted - succeeded) - active.length;
    if (missing <= 0) return;
    const due = nextPodAt.get(key) ?? 0;
    if (due > Date.now()) return control.loop.later(controller, key, due - Date.now());
    for (let i = 0; i < missing; i++) if (!createPod(control, latestJob, pods)) break;
    const now = list<Pod>(control, "pods", job.metadata.namespace ?? "").filter(
      (pod) => ownedBy(pod, job) && isActive(pod),
    );
    record(control, latestJob, now, succeeded, failed);
  }

  function watchDeadline(job: Job, key: string): void {
    const { activeDeadlineSeconds } = job.spec;
    const { startTime } = job.status;
    if (activeDeadlineSeconds === undefined || startTime === undefined) return;
    control.loop.later(
      controller,
      key,
      Math.max(20, Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now()),
    );
  }

  function afterEnd(job: Job, key: string, pods: readonly Pod[]): void {
    release(control, countEnds(job, pods));
    const { ttlSecondsAfterFinished } = job.spec;
    if (ttlSecondsAfterFinished === undefined) return;
    const end = Date.parse(
      job.status.conditions?.find((item) => item.type === "Complete" || item.type === "Failed")?.lastTransitionTime ??
        "",
    );
    const waits = end + ttlSecondsAfterFinished * 1000 - Date.now();
    if (waits > 0) return control.loop.later(controller, key, waits);
    remove(control, "jobs.batch", job, { propagationPolicy: "Background" });
  }

  return controller;
}

function isOver(job: Job): boolean {
  return (
    job.status.conditions?.some(
      (item) => (item.type === "Complete" || item.type === "Failed") && item.status === "True",
    ) === true
  );
}

function restartsOf(pod: Pod): number {
  return (pod.status.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0);
}

interface Reason {
  readonly reason: string;
  readonly message: string;
}

function failureOf(job: Job, failed: number, restarts: number): Reason | null {
  if (failed + restarts > job.spec.backoffLimit) {
    return { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  const { activeDeadlineSeconds } = job.spec;
  const start = Date.parse(job.status.startTime ?? "");
  if (activeDeadlineSeconds !== undefined && Date.now() - start >= activeDeadlineSeconds * 1000) {
    return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
  }
  return null;
}

interface Counted {
  readonly succeeded: readonly Pod[];
  readonly failed: readonly Pod[];
}

/** Pods that have ended and are not yet counted: they still carry the tracking finalizer. */
function countEnds(_job: Job, pods: readonly Pod[]): Counted {
  const uncounted = pods.filter(
    (pod) => isTracked(pod) && (isFinished(pod) || pod.metadata.deletionTimestamp !== undefined),
  );
  return {
    succeeded: uncounted.filter(
      (pod) => pod.status.phase === "Succeeded" && pod.metadata.deletionTimestamp === undefined,
    ),
    failed: uncounted.filter((pod) => pod.status.phase === "Failed" || pod.metadata.deletionTimestamp !== undefined),
  };
}

function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(tracking) === true;
}

function release(control: Control, counted: Counted): void {
  for (const pod of [...counted.succeeded, ...counted.failed]) releasePod(control, pod);
}

/** Pods of a Job that is gone would be held for ever by the finalizer that only its controller takes away. */
function releaseOrphans(control: Control, namespace: string, jobName: string): void {
  for (const pod of list<Pod>(control, "pods", namespace)) {
    const owner = controllerOf(pod);
    if (owner?.kind === "Job" && owner.name === jobName) releasePod(control, pod);
  }
}

function releasePod(control: Control, pod: Pod): void {
  const live = find<Pod>(control, "pods", pod.metadata.namespace ?? "", pod.metadata.name);
  if (live === null || live.metadata.uid !== pod.metadata.uid || !isTracked(live)) return;
  const finalizers = (live.metadata.finalizers ?? []).filter((item) => item !== tracking);
  const { finalizers: _finalizers, ...metadata } = live.metadata;
  const next = { ...live, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
  const isGone =
    live.metadata.deletionTimestamp !== undefined &&
    live.metadata.deletionGracePeriodSeconds === 0 &&
    finalizers.length === 0;
  if (isGone) control.objects.store.remove("pods", next);
  else control.objects.store.put("pods", next);
}

function createPod(control: Control, job: Job, pods: readonly Pod[]): boolean {
  const { name, namespace = "" } = job.metadata;
  const isIndexed = job.spec.completionMode === "Indexed";
  const used = new Set(
    pods.filter((pod) => pod.status.phase !== "Failed").map((pod) => pod.metadata.annotations?.[indexAnnotation]),
  );
  const live = list<Pod>(control, "pods", namespace).filter(
    (pod) => ownedBy(pod, job) && pod.status.phase !== "Failed",
  );
  for (const pod of live) used.add(pod.metadata.annotations?.[indexAnnotation]);
  const index = isIndexed ? firstFree(used) : null;
  const template = podFromTemplate(job.spec.template, job, {
    generateName: index === null ? `${name}-` : `${name}-${index}-`,
    finalizers: [tracking],
    ...(index === null
      ? {}
      : {
          annotations: { ...job.spec.template.metadata?.annotations, [indexAnnotation]: String(index) },
          labels: { ...job.spec.template.metadata?.labels, [indexAnnotation]: String(index) },
        }),
  });
  try {
    const pod = create<Pod>(control, "pods", namespace, template);
    control.events.record(job, source, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    control.events.record(job, source, "Warning", "FailedCreate", `Error creating: ${error.message}`);
    // Thrown again so that the loop tries later, with its back-off.
    throw error;
  }
}

const indexAnnotation = "batch.kubernetes.io/job-completion-index";

function firstFree(used: ReadonlySet<string | undefined>): number {
  for (let index = 0; ; index++) if (!used.has(String(index))) return index;
}

function baseStatus(status: JobStatus): JobStatus {
  return { terminating: 0, uncountedTerminatedPods: {}, ready: 0, ...status };
}

function record(control: Control, job: Job, active: readonly Pod[], succeeded: number, failed: number): Job {
  const { active: _active, succeeded: _succeeded, failed: _failed, ...rest } = job.status;
  return updateStatus(control, "jobs.batch", job, {
    ...baseStatus(rest),
    ...(active.length === 0 ? {} : { active: active.length }),
    ready: active.filter(isReady).length,
    ...(succeeded === 0 ? {} : { succeeded }),
    ...(failed === 0 ? {} : { failed }),
  });
}

function made(type: string, status: string, reason: string, message: string): Condition {
  const now = timestamp();
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** The end in two writes, as on a real server: first why it ends, with the pods to be counted, then the end itself. */
function close(
  control: Control,
  job: Job,
  pods: readonly Pod[],
  counted: Counted,
  why: Reason,
  type: "Complete" | "Failed",
): void {
  const { active: _active, ...status } = job.status;
  const first = made(type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget", "True", why.reason, why.message);
  const conditions = [...(job.status.conditions ?? []), first];
  const uids = (list: readonly Pod[]): string[] => list.map((pod) => pod.metadata.uid);
  const announced = updateStatus(control, "jobs.batch", job, {
    ...baseStatus(status),
    conditions,
    uncountedTerminatedPods: {
      ...(counted.succeeded.length === 0 ? {} : { succeeded: uids(counted.succeeded) }),
      ...(counted.failed.length === 0 ? {} : { failed: uids(counted.failed) }),
    },
    ready: 0,
  });
  const killed = pods.filter(isActive);
  for (const pod of killed) {
    remove(control, "pods", pod);
    releasePod(control, pod);
  }
  release(control, counted);
  const succeeded = (job.status.succeeded ?? 0) + counted.succeeded.length;
  const failed = (job.status.failed ?? 0) + counted.failed.length + killed.length;
  updateStatus(control, "jobs.batch", announced, {
    ...announced.status,
    conditions: [...conditions, made(type, "True", why.reason, why.message)],
    uncountedTerminatedPods: {},
    ...(type === "Complete" ? { completionTime: timestamp() } : {}),
    ...(succeeded === 0 ? {} : { succeeded }),
    ...(failed === 0 ? {} : { failed }),
    ...(job.spec.completionMode === "Indexed" && type === "Complete" ? { completedIndexes: indexes(succeeded) } : {}),
  });
  if (type === "Complete") control.events.record(job, source, "Normal", "Completed", "Job completed");
  else control.events.record(job, source, "Warning", why.reason, why.message);
}

function indexes(count: number): string {
  return count <= 1 ? "0" : count === 2 ? "0,1" : `0-${count - 1}`;
}

function suspend(control: Control, job: Job): void {
  const pods = list<Pod>(control, "pods", job.metadata.namespace ?? "").filter(
    (pod) => ownedBy(pod, job) && isActive(pod),
  );
  for (const pod of pods) {
    remove(control, "pods", pod);
    releasePod(control, pod);
  }
  const known = job.status.conditions?.some((item) => item.type === "Suspended" && item.status === "True") === true;
  if (known) return;
  const others = (job.status.conditions ?? []).filter((item) => item.type !== "Suspended");
  const { startTime: _startTime, active: _active, ...status } = job.status;
  const conditions = [...others, made("Suspended", "True", "JobSuspended", "Job suspended")];
  updateStatus(control, "jobs.batch", job, { ...baseStatus(status), ready: 0, conditions });
  control.events.record(job, source, "Normal", "Suspended", "Job suspended");
}
