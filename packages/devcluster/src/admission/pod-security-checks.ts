import { listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/** The checks of the Pod Security Standards, in the order and words of the server; null when there is nothing to say. */
type Check = (spec: JsonRecord) => string | null;

export function violations(level: "baseline" | "restricted", spec: JsonRecord): string[] {
  const checks = level === "baseline" ? [...baselineOnly, ...baseline] : [...baseline, ...restricted];
  return checks.map((check) => check(spec)).filter((text) => text !== null);
}

function containersOf(spec: JsonRecord): JsonRecord[] {
  return [...listOf(spec["initContainers"]), ...listOf(spec["containers"])].map(recordOf);
}

function securityOf(container: JsonRecord): JsonRecord {
  return recordOf(container["securityContext"]);
}

function named(containers: readonly JsonRecord[]): string {
  const names = containers.map((container) => `"${stringOf(container["name"])}"`);
  return `container${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
}

function about(
  spec: JsonRecord,
  title: string,
  isBad: (container: JsonRecord) => boolean,
  rule: string,
): string | null {
  const bad = containersOf(spec).filter(isBad);
  return bad.length === 0 ? null : `${title} (${named(bad)} ${rule})`;
}

const hostNamespaces: Check = (spec) => {
  const used = ["hostNetwork", "hostPID", "hostIPC"].filter((member) => spec[member] === true);
  return used.length === 0 ? null : `host namespaces (${used.map((member) => `${member}=true`).join(", ")})`;
};

const hostPorts: Check = (spec) => {
  const usesHostPort = (container: JsonRecord): boolean =>
    listOf(container["ports"]).some((port) => Number(recordOf(port)["hostPort"] ?? 0) > 0);
  const bad = containersOf(spec).filter(usesHostPort);
  if (bad.length === 0) return null;
  const ports = bad.flatMap((container) => listOf(container["ports"]).map((port) => recordOf(port)["hostPort"]));
  const used = ports.filter((port) => typeof port === "number" && port > 0);
  return `hostPort (${named(bad)} uses hostPort${used.length === 1 ? "" : "s"} ${used.join(", ")})`;
};

const privileged: Check = (spec) =>
  about(
    spec,
    "privileged",
    (container) => securityOf(container)["privileged"] === true,
    "must not set securityContext.privileged=true",
  );

const safeSysctls = new Set(
  ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"].concat(
    ["net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"],
    ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"],
    ["net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
  ),
);

const sysctls: Check = (spec) => {
  const names = listOf(recordOf(spec["securityContext"])["sysctls"]).map((item) => stringOf(recordOf(item)["name"]));
  const bad = names.filter((name) => !safeSysctls.has(name));
  return bad.length === 0 ? null : `forbidden sysctls (${bad.join(", ")})`;
};

const hostPathVolumes: Check = (spec) => {
  const bad = volumesWith(spec, (volume) => volume["hostPath"] !== undefined);
  return bad.length === 0 ? null : `hostPath volumes (volume${bad.length === 1 ? "" : "s"} ${quoted(bad)})`;
};

const addedCapabilities: Check = (spec) => {
  const allowed = new Set(
    ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"].concat(
      ["SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
    ),
  );
  const badIn = (container: JsonRecord): string[] =>
    listOf(recordOf(securityOf(container)["capabilities"])["add"])
      .map(stringOf)
      .filter((name) => !allowed.has(name));
  const bad = containersOf(spec).filter((container) => badIn(container).length > 0);
  if (bad.length === 0) return null;
  const names = [...new Set(bad.flatMap(badIn))].map((name) => `"${name}"`).join(", ");
  return `non-default capabilities (${named(bad)} must not include ${names} in securityContext.capabilities.add)`;
};

const unconfinedSeccomp: Check = (spec) => {
  const isUnconfined = (context: JsonRecord): boolean => recordOf(context["seccompProfile"])["type"] === "Unconfined";
  const pod = isUnconfined(recordOf(spec["securityContext"]));
  const bad = containersOf(spec).filter((container) => isUnconfined(securityOf(container)));
  if (!pod && bad.length === 0) return null;
  const who = [...(pod ? ["pod"] : []), ...(bad.length === 0 ? [] : [named(bad)])].join(" and ");
  return `seccompProfile (${who} must not set securityContext.seccompProfile.type to "Unconfined")`;
};

const escalation: Check = (spec) =>
  about(
    spec,
    "allowPrivilegeEscalation != false",
    (container) => securityOf(container)["allowPrivilegeEscalation"] !== false,
    "must set securityContext.allowPrivilegeEscalation=false",
  );

const droppedCapabilities: Check = (spec) => {
  const keeps = (container: JsonRecord): boolean =>
    !listOf(recordOf(securityOf(container)["capabilities"])["drop"]).includes("ALL");
  const extra = (container: JsonRecord): string[] =>
    listOf(recordOf(securityOf(container)["capabilities"])["add"])
      .map(stringOf)
      .filter((name) => name !== "NET_BIND_SERVICE");
  const keeping = containersOf(spec).filter(keeps);
  const adding = containersOf(spec).filter((container) => extra(container).length > 0);
  const parts: string[] = [];
  if (keeping.length > 0) parts.push(`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const names = [...new Set(adding.flatMap(extra))].map((name) => `"${name}"`).join(", ");
    parts.push(`${named(adding)} must not include ${names} in securityContext.capabilities.add`);
  }
  return parts.length === 0 ? null : `unrestricted capabilities (${parts.join("; ")})`;
};

const allowedVolumeSources = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const volumeTypes: Check = (spec) => {
  const sourceOf = (volume: JsonRecord): string => Object.keys(volume).find((member) => member !== "name") ?? "";
  const bad = volumesWith(spec, (volume) => !allowedVolumeSources.has(sourceOf(volume)));
  if (bad.length === 0) return null;
  const types = [...new Set(bad.map((volume) => `"${sourceOf(volume)}"`))];
  const uses = bad.length === 1 ? "uses restricted volume type" : "use restricted volume types";
  return `restricted volume types (volume${bad.length === 1 ? "" : "s"} ${quoted(bad)} ${uses} ${types.join(", ")})`;
};

const nonRoot: Check = (spec) => {
  const pod = recordOf(spec["securityContext"])["runAsNonRoot"];
  const containers = containersOf(spec);
  const explicit = containers.filter((container) => securityOf(container)["runAsNonRoot"] === false);
  if (explicit.length > 0) {
    return `runAsNonRoot != true (${named(explicit)} must not set securityContext.runAsNonRoot=false)`;
  }
  if (pod === true) return null;
  const bad = containers.filter((container) => securityOf(container)["runAsNonRoot"] !== true);
  return bad.length === 0
    ? null
    : `runAsNonRoot != true (pod or ${named(bad)} must set securityContext.runAsNonRoot=true)`;
};

const rootUser: Check = (spec) => {
  const pod = recordOf(spec["securityContext"])["runAsUser"] === 0;
  const bad = containersOf(spec).filter((container) => securityOf(container)["runAsUser"] === 0);
  if (!pod && bad.length === 0) return null;
  const who = [...(pod ? ["pod"] : []), ...(bad.length === 0 ? [] : [named(bad)])].join(" and ");
  return `runAsUser=0 (${who} must not set runAsUser=0)`;
};

const seccomp: Check = (spec) => {
  const typeOf = (context: JsonRecord): unknown => recordOf(context["seccompProfile"])["type"];
  const isFine = (type: unknown): boolean => type === "RuntimeDefault" || type === "Localhost";
  const pod = typeOf(recordOf(spec["securityContext"]));
  const bad = containersOf(spec).filter((container) => {
    const own = typeOf(securityOf(container));
    return own === undefined ? !isFine(pod) : !isFine(own);
  });
  if (bad.length === 0) return null;
  const rule = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return `seccompProfile (pod or ${named(bad)} ${rule})`;
};

function volumesWith(spec: JsonRecord, isBad: (volume: JsonRecord) => boolean): JsonRecord[] {
  return listOf(spec["volumes"]).map(recordOf).filter(isBad);
}

function quoted(items: readonly JsonRecord[]): string {
  return items.map((item) => `"${stringOf(item["name"])}"`).join(", ");
}

const baseline: readonly Check[] = [hostNamespaces, hostPorts, privileged, sysctls];
/** Checks of the baseline that the restricted level replaces by stricter ones. */
const baselineOnly: readonly Check[] = [addedCapabilities, hostPathVolumes, unconfinedSeccomp];
const restricted: readonly Check[] = [escalation, droppedCapabilities, volumeTypes, nonRoot, rootUser, seccomp];
