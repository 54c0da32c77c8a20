import { deepEqual, recordOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { forbidden } from "../kube/status.ts";
import type { Objects, WriteOptions } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { violations } from "./pod-security-checks.ts";

const labelPrefix = "pod-security.kubernetes.io/";

/**
 * Pod Security: the namespace's labels say which pods may run. Pods are refused; what makes pods (a Deployment, a Job) is
 * accepted with a warning, and the refusal shows later at its ReplicaSet.
 */
export function checkPodSecurity(
  objects: Objects,
  resource: Resource,
  object: KubeObject,
  previous: KubeObject | null,
  options: WriteOptions,
): void {
  const isPod = resource.key === "pods";
  if (!isPod && !isPodMaker(resource)) return;
  if (isPod && previous !== null && deepEqual(object["spec"], previous["spec"])) return;
  const namespace = objects.store.get("namespaces", "", object.metadata.namespace ?? "");
  const labels = namespace?.metadata.labels ?? {};
  const spec = podSpecOf(isPod, object);
  const enforced = judge(labels, "enforce", spec);
  if (isPod && enforced !== null) throw forbidden(resource, object.metadata.name, `violates ${enforced}`);
  const warned = judge(labels, "warn", spec);
  if (warned !== null) options.warnings.push(`would violate ${warned}`);
}

function isPodMaker(resource: Resource): boolean {
  return ["deployments.apps", "replicasets.apps", "statefulsets.apps", "jobs.batch"].includes(resource.key);
}

function podSpecOf(isPod: boolean, object: KubeObject): JsonRecord {
  const spec = recordOf(object["spec"]);
  return isPod ? spec : recordOf(recordOf(spec["template"])["spec"]);
}

/** `PodSecurity "restricted:latest": <complaints>`, or null when the pod is fine under the level of this mode. */
function judge(labels: Readonly<Record<string, string>>, mode: string, spec: JsonRecord): string | null {
  const level = labels[`${labelPrefix}${mode}`];
  if (level !== "baseline" && level !== "restricted") return null;
  const version = labels[`${labelPrefix}${mode}-version`] ?? "latest";
  const found = violations(level, spec);
  return found.length === 0 ? null : `PodSecurity "${level}:${version}": ${found.join(", ")}`;
}
