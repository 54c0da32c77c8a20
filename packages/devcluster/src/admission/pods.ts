import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { randomSuffix } from "../kube/names.ts";
import { forbidden } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { ensureRecord, setDefault } from "../resources/defaults-pod.ts";

const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Pods stay this long on a node that is lost before they are evicted. */
const lostNodeSeconds = 300;

/** What the server adds to every new pod: ServiceAccount and its token volume, tolerations, priority. */
export function completePod(objects: Objects, resource: Resource, draft: JsonRecord): void {
  const spec = ensureRecord(draft, "spec");
  const { namespace, name } = recordOf(draft["metadata"]);
  setDefault(spec, "serviceAccountName", "default");
  setDefault(spec, "serviceAccount", spec["serviceAccountName"]);
  const accountName = stringOf(spec["serviceAccountName"]);
  const space = stringOf(namespace);
  if (objects.store.get("serviceaccounts", space, accountName) === undefined) objects.ensureNamespaceDefaults(space);
  const account = objects.store.get("serviceaccounts", space, accountName);
  if (account === undefined) {
    const why = `error looking up service account ${space}/${accountName}: serviceaccount "${accountName}" not found`;
    throw forbidden(resource, stringOf(name), why);
  }
  const secrets = account["imagePullSecrets"];
  if (listOf(spec["imagePullSecrets"]).length === 0 && Array.isArray(secrets)) spec["imagePullSecrets"] = secrets;
  const wantsToken = spec["automountServiceAccountToken"] ?? account["automountServiceAccountToken"] ?? true;
  if (wantsToken === true) mountToken(spec);
  spec["tolerations"] = withLostNodeTolerations(spec);
  checkPriorityClass(resource, spec, stringOf(name));
  setDefault(spec, "priority", 0);
  setDefault(spec, "preemptionPolicy", "PreemptLowerPriority");
}

function mountToken(spec: JsonRecord): void {
  const volumeName = `kube-api-access-${randomSuffix()}`;
  const containers = [...listOf(spec["initContainers"]), ...listOf(spec["containers"])].filter(isRecord);
  for (const container of containers) {
    const mounts = listOf(container["volumeMounts"]);
    if (mounts.some((mount) => recordOf(mount)["mountPath"] === tokenPath)) continue;
    container["volumeMounts"] = [...mounts, { name: volumeName, readOnly: true, mountPath: tokenPath }];
  }
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ];
  spec["volumes"] = [...listOf(spec["volumes"]), { name: volumeName, projected: { sources, defaultMode: 420 } }];
}

function withLostNodeTolerations(spec: JsonRecord): unknown[] {
  const tolerations = listOf(spec["tolerations"]).map(recordOf);
  const missing = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].filter(
    (key) => !tolerations.some((item) => (item["key"] === key || item["key"] === undefined) && isForEviction(item)),
  );
  const added = missing.map((key) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: lostNodeSeconds,
  }));
  return [...tolerations, ...added];
}

function isForEviction(toleration: JsonRecord): boolean {
  return toleration["effect"] === undefined || toleration["effect"] === "NoExecute";
}

const builtInPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

function checkPriorityClass(resource: Resource, spec: JsonRecord, name: string): void {
  const className = stringOf(spec["priorityClassName"]);
  if (className === "") return;
  const priority = builtInPriorities[className];
  if (priority === undefined) throw forbidden(resource, name, `no PriorityClass with name ${className} was found`);
  spec["priority"] = priority;
}
