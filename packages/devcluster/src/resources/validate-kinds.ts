import { deepEqual, isRecord, listOf, recordOf, stringMap, stringOf, type JsonRecord } from "../kube/json.ts";
import { duplicate, forbiddenField, immutable, invalidValue, notSupported, required, tooLong } from "../kube/causes.ts";
import { checkConfigKey, checkQualifiedName, checkSubdomain } from "../kube/names.ts";
import type { KubeObject } from "../kube/object.ts";
import { parseQuantity } from "../kube/quantity.ts";
import { selectorMatcher } from "../kube/selector.ts";
import type { StatusCause } from "../kube/status.ts";
import { validateLabels } from "./validate-meta.ts";
import { validatePodSpec } from "./validate-pod.ts";

/** The checks of each kind beside metadata. `previous` is null for a new object. */
export type Validation = (object: JsonRecord, previous: KubeObject | null) => StatusCause[];

const dataLimitBytes = 1_048_576;

function nonNegative(field: string, value: unknown): StatusCause[] {
  if (typeof value !== "number" || value >= 0) return [];
  return [invalidValue(field, value, "must be greater than or equal to 0")];
}

function templateLabels(spec: JsonRecord): Record<string, string> {
  return stringMap(recordOf(recordOf(spec["template"])["metadata"])["labels"]);
}

function validateSelector(spec: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const { selector } = spec;
  const labels = recordOf(recordOf(spec["template"])["metadata"])["labels"];
  const before = previous === null ? undefined : recordOf(previous["spec"])["selector"];
  const detail = "`selector` does not match template `labels`";
  return [
    ...(isRecord(selector) ? [] : [required("spec.selector")]),
    ...(isRecord(selector) && Object.keys(selector).length === 0
      ? [invalidValue("spec.selector", selector, "empty selector is invalid for deployment")]
      : []),
    ...(before === undefined || deepEqual(before, selector) ? [] : [immutable("spec.selector", selector)]),
    ...(selectorMatcher(isRecord(selector) ? selector : null)(templateLabels(spec))
      ? []
      : [invalidValue("spec.template.metadata.labels", labels, detail)]),
  ];
}

function validateWorkload(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const [immutableSelector, others] = split(validateSelector(spec, previous), (cause) =>
    cause.message.endsWith("immutable"),
  );
  const template = recordOf(recordOf(spec["template"])["spec"]);
  return [
    ...nonNegative("spec.replicas", spec["replicas"]),
    ...others,
    ...validateLabels("spec.template.labels", templateLabels(spec)),
    ...validatePodSpec(template, "spec.template.spec", ["Always"], claimTemplateNames(spec)),
    ...validateStrategy(spec),
    ...immutableSelector,
  ];
}

function claimTemplateNames(spec: JsonRecord): string[] {
  return listOf(spec["volumeClaimTemplates"]).map((item) => stringOf(recordOf(recordOf(item)["metadata"])["name"]));
}

function split<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function validateStrategy(spec: JsonRecord): StatusCause[] {
  const strategy = spec["strategy"];
  if (!isRecord(strategy)) return [];
  const type = stringOf(strategy["type"]);
  const known = ["Recreate", "RollingUpdate"];
  if (!known.includes(type)) return [notSupported("spec.strategy.type", type, known)];
  if (type === "Recreate" && isRecord(strategy["rollingUpdate"])) {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return [forbiddenField("spec.strategy.rollingUpdate", detail)];
  }
  return [];
}

const changeableInStatefulSet = new Set(
  ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"].concat([
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
  ]),
);

function fixedMembers(spec: JsonRecord, changeable: ReadonlySet<string>): JsonRecord {
  return Object.fromEntries(Object.entries(spec).filter(([member]) => !changeable.has(member)));
}

function validateStatefulSet(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  if (previous !== null) {
    const before = recordOf(previous["spec"]);
    if (!deepEqual(fixedMembers(spec, changeableInStatefulSet), fixedMembers(before, changeableInStatefulSet))) {
      const detail =
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
        "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
      return [forbiddenField("spec", detail)];
    }
  }
  return validateWorkload(object, null);
}

function validateJob(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const template = recordOf(spec["template"]);
  const policy = recordOf(template["spec"])["restartPolicy"];
  const causes: StatusCause[] = [];
  for (const member of [
    "parallelism",
    "completions",
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
  ]) {
    causes.push(...nonNegative(`spec.${member}`, spec[member]));
  }
  causes.push(...validatePodSpec(recordOf(template["spec"]), "spec.template.spec"));
  if (policy === "Always") {
    causes.push(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'));
  }
  if (previous !== null) {
    const before = recordOf(previous["spec"]);
    for (const member of ["completions", "selector", "template", "completionMode"]) {
      const isChanged = !deepEqual(spec[member], before[member]);
      // A suspended Job that has not started may still be given other resources and node selectors.
      if (isChanged && !(member === "template" && before["suspend"] === true)) {
        causes.push(immutable(`spec.${member}`, spec[member]));
      }
    }
  }
  return causes;
}

function validateClaim(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const requested = recordOf(recordOf(spec["resources"])["requests"])["storage"];
  const causes: StatusCause[] = [];
  if (listOf(spec["accessModes"]).length === 0) {
    causes.push(required("spec.accessModes", "at least 1 access mode is required"));
  }
  if (requested === undefined) causes.push(required("spec.resources[storage]"));
  if (previous === null) return causes;
  const before = recordOf(previous["spec"]);
  const free = new Set([
    "resources",
    "volumeAttributesClassName",
    ...(before["volumeName"] === undefined ? ["volumeName"] : []),
  ]);
  if (before["storageClassName"] === undefined) free.add("storageClassName");
  if (!deepEqual(fixedMembers(spec, free), fixedMembers(before, free))) {
    const detail =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";
    causes.push(forbiddenField("spec", detail));
  }
  const capacity = parseQuantity(recordOf(recordOf(previous["status"])["capacity"])["storage"]);
  const wanted = parseQuantity(requested);
  if (capacity !== null && wanted !== null && wanted.nano < capacity.nano) {
    causes.push(forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  return causes;
}

function validateData(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const entries = [...Object.entries(recordOf(object["data"])), ...Object.entries(recordOf(object["binaryData"]))];
  const causes = entries.flatMap(([key]) => {
    const complaint = checkConfigKey(key);
    return complaint === null ? [] : [invalidValue(`data[${key}]`, key, complaint)];
  });
  const bytes = entries.reduce((sum, [, value]) => sum + Buffer.byteLength(stringOf(value)), 0);
  if (bytes > dataLimitBytes) causes.push(tooLong("[]", dataLimitBytes));
  if (previous?.["immutable"] !== true) return causes;
  const detail = "field is immutable when `immutable` is set";
  if (object["immutable"] !== true) causes.push(forbiddenField("immutable", detail));
  else if (!deepEqual(recordOf(object["data"]), recordOf(previous["data"])))
    causes.push(forbiddenField("data", detail));
  return causes;
}

function validateSecret(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const type = stringOf(object["type"]);
  const data = recordOf(object["data"]);
  const causes: StatusCause[] = [];
  if (previous !== null && previous["type"] !== type) causes.push(immutable("type", type));
  if (type === "kubernetes.io/tls") {
    for (const key of ["tls.crt", "tls.key"]) if (data[key] === undefined) causes.push(required(`data[${key}]`));
  }
  if (type === "kubernetes.io/dockerconfigjson") causes.push(...validateDockerConfig(data[".dockerconfigjson"]));
  return [...causes, ...validateData(object, previous)];
}

function validateDockerConfig(encoded: unknown): StatusCause[] {
  const field = "data[.dockerconfigjson]";
  if (encoded === undefined) return [required(field)];
  const text = Buffer.from(stringOf(encoded), "base64").toString("utf8");
  try {
    JSON.parse(text);
    return [];
  } catch {
    const detail = `invalid character '${text[0] ?? ""}' looking for beginning of value`;
    return [invalidValue(field, "<secret contents redacted>", detail)];
  }
}

function validateService(object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const ports = listOf(spec["ports"]).map(recordOf);
  const isHeadless = spec["clusterIP"] === "None";
  const causes: StatusCause[] = [];
  if (ports.length === 0 && !isHeadless && spec["type"] !== "ExternalName") causes.push(required("spec.ports"));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    const name = stringOf(port["name"]);
    if (name === "" && ports.length > 1) causes.push(required(`${field}.name`));
    if (name !== "" && names.has(name)) causes.push(duplicate(`${field}.name`, name));
    names.add(name);
    causes.push(...validateServicePort(port, field));
  }
  if (previous === null) return causes;
  const before = listOf(recordOf(previous["spec"])["clusterIPs"]);
  const after = listOf(spec["clusterIPs"]);
  if (before.length > 0 && spec["type"] !== "ExternalName" && before[0] !== after[0]) {
    causes.push(invalidValue("spec.clusterIPs[0]", after, "may not change once set"));
  }
  return causes;
}

function validateServicePort(port: JsonRecord, field: string): StatusCause[] {
  const range = "must be between 1 and 65535, inclusive";
  const isPort = (value: unknown): boolean => typeof value === "number" && value >= 1 && value <= 65_535;
  const protocols = ["SCTP", "TCP", "UDP"];
  const protocol = stringOf(port["protocol"]);
  const target = port["targetPort"];
  const nodePort = port["nodePort"];
  return [
    ...(isPort(port["port"]) ? [] : [invalidValue(`${field}.port`, port["port"] ?? 0, range)]),
    ...(protocols.includes(protocol) ? [] : [notSupported(`${field}.protocol`, protocol, protocols)]),
    ...(typeof target === "number" && !isPort(target) ? [invalidValue(`${field}.targetPort`, target, range)] : []),
    ...(typeof nodePort === "number" && (nodePort < 30_000 || nodePort > 32_767)
      ? [
          invalidValue(
            `${field}.nodePort`,
            nodePort,
            "provided port is not in the valid range. The range of valid ports is 30000-32767",
          ),
        ]
      : []),
  ];
}

function validateIngress(object: JsonRecord): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const rules = listOf(spec["rules"]).map(recordOf);
  if (rules.length === 0 && !isRecord(spec["defaultBackend"])) {
    return [invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified")];
  }
  return rules.flatMap((rule, index) => {
    const host = stringOf(rule["host"]);
    const complaint = host === "" ? null : checkSubdomain(host.replace(/^\*\./, ""));
    const paths = listOf(recordOf(rule["http"])["paths"]).map(recordOf);
    return [
      ...(complaint === null ? [] : [invalidValue(`spec.rules[${index}].host`, host, complaint)]),
      ...paths.flatMap((path, at) => validateIngressPath(path, `spec.rules[${index}].http.paths[${at}]`)),
    ];
  });
}

function validateIngressPath(path: JsonRecord, field: string): StatusCause[] {
  const type = path["pathType"];
  const text = stringOf(path["path"]);
  const service = recordOf(path["backend"])["service"];
  const port = recordOf(recordOf(service)["port"]);
  const isAbsolute = type === "ImplementationSpecific" || text.startsWith("/");
  return [
    ...(type === undefined ? [required(`${field}.pathType`, "pathType must be specified")] : []),
    ...(type !== undefined && !isAbsolute ? [invalidValue(`${field}.path`, text, "must be an absolute path")] : []),
    ...(isRecord(service) && port["number"] === undefined && port["name"] === undefined
      ? [required(`${field}.backend`, "port name or number is required")]
      : []),
  ];
}

function validateNetworkPolicy(object: JsonRecord): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const rules = (member: string, side: string): StatusCause[] =>
    listOf(spec[member]).flatMap((rule, index) =>
      listOf(recordOf(rule)[side]).flatMap((peer, at) => {
        const cidr = recordOf(recordOf(peer)["ipBlock"])["cidr"];
        if (cidr === undefined || isCidr(stringOf(cidr))) return [];
        const detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        return [invalidValue(`spec.${member}[${index}].${side}[${at}].ipBlock.cidr`, cidr, detail)];
      }),
    );
  return [...rules("ingress", "from"), ...rules("egress", "to")];
}

function isCidr(text: string): boolean {
  const [address = "", length = ""] = text.split("/");
  const bits = Number(length);
  if (length === "" || !Number.isInteger(bits) || bits < 0) return false;
  if (address.includes(":")) return /^[0-9a-fA-F:]+$/.test(address) && bits <= 128;
  const parts = address.split(".");
  return bits <= 32 && parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

const standardQuotaNames = new Set(
  [
    "cpu",
    "memory",
    "ephemeral-storage",
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
  ].concat(
    ["configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", "requests.cpu"],
    ["requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory"],
    ["limits.ephemeral-storage"],
  ),
);

function validateQuota(object: JsonRecord): StatusCause[] {
  return Object.keys(recordOf(recordOf(object["spec"])["hard"])).flatMap((name) => {
    const field = `spec.hard[${name}]`;
    const complaint = checkQualifiedName(name);
    const isQualified = name.includes("/");
    if (complaint === null && (isQualified || standardQuotaNames.has(name))) return [];
    return [
      ...(complaint === null ? [invalidValue(field, name, "must be a standard resource type or fully qualified")] : []),
      ...(complaint === null ? [] : [invalidValue(field, name, complaint)]),
      invalidValue(field, name, "must be a standard resource for quota"),
    ];
  });
}

const podSecurityLevels = ["privileged", "baseline", "restricted"];

function validateNamespace(object: JsonRecord): StatusCause[] {
  const labels = stringMap(recordOf(object["metadata"])["labels"]);
  return ["enforce", "audit", "warn"].flatMap((mode) => {
    const label = `pod-security.kubernetes.io/${mode}`;
    const level = labels[label];
    if (level === undefined || podSecurityLevels.includes(level)) return [];
    return [invalidValue(`metadata.labels[${label}]`, level, `must be one of ${podSecurityLevels.join(", ")}`)];
  });
}

export const validations: Readonly<Record<string, Validation>> = {
  namespaces: validateNamespace,
  "deployments.apps": validateWorkload,
  "replicasets.apps": validateWorkload,
  "statefulsets.apps": validateStatefulSet,
  "jobs.batch": validateJob,
  persistentvolumeclaims: validateClaim,
  configmaps: validateData,
  secrets: validateSecret,
  services: validateService,
  "ingresses.networking.k8s.io": validateIngress,
  "networkpolicies.networking.k8s.io": validateNetworkPolicy,
  resourcequotas: validateQuota,
};
