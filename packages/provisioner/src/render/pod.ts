import type { ResolvedContainer, ResolvedProbe, ResolvedWorkload } from "@sewa/blueprint";
import { fileKey, renderEnv } from "./config.ts";
import { filesName, objectNames } from "./names.ts";
import { renderResources } from "./resources.ts";
import type { ClusterSettings, ContainerResources } from "./types.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Bound of one writable scratch path; beyond it the kubelet evicts the pod. */
const scratchSizeLimit = "1Gi";

/** Part of a pod that is the same for workloads and the claim job: an account without rights, and the restricted profile. */
export function renderPodBase(security: ResolvedWorkload["security"], settings: ClusterSettings): Fields {
  return {
    serviceAccountName: objectNames.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(settings.nodeSelector === undefined ? {} : { nodeSelector: settings.nodeSelector }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: security.runAsUser,
      runAsGroup: security.runAsGroup,
      fsGroup: security.fsGroup,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

export function renderContainer(
  name: string,
  container: ResolvedContainer,
  readOnlyRootFilesystem: boolean,
  resources: ContainerResources,
): Fields {
  return {
    name,
    image: container.image,
    ...(container.command === undefined ? {} : { command: container.command }),
    ...(container.args === undefined ? {} : { args: container.args }),
    env: renderEnv(container),
    resources: renderResources(resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem,
      capabilities: { drop: ["ALL"] },
    },
  };
}

/** Lets a process without privileges listen on 80; one of the sysctls that are safe and allowed by the restricted profile. */
export function renderSysctls(workload: ResolvedWorkload): Fields {
  if (!workload.ports.some(({ port }) => port < 1024)) return {};
  return { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] };
}

export function renderVolumes(workload: ResolvedWorkload): readonly Fields[] {
  const claims = workload.volumes.map(({ name }) => ({
    name: `data-${name}`,
    persistentVolumeClaim: { claimName: name },
  }));
  const scratch = workload.scratchPaths.map((_, index) => ({
    name: `scratch-${String(index)}`,
    emptyDir: { sizeLimit: scratchSizeLimit },
  }));
  const files = workload.files.length === 0 ? [] : [{ name: "files", configMap: { name: filesName(workload.id) } }];
  return [...claims, ...scratch, ...files];
}

export function renderMounts(workload: ResolvedWorkload): readonly Fields[] {
  const claims = workload.volumes.map(({ name, mountPath }) => ({ name: `data-${name}`, mountPath }));
  const scratch = workload.scratchPaths.map((mountPath, index) => ({ name: `scratch-${String(index)}`, mountPath }));
  const files = workload.files.map(({ path }, index) => ({
    name: "files",
    mountPath: path,
    subPath: fileKey(index),
    readOnly: true,
  }));
  return [...claims, ...scratch, ...files];
}

export function renderProbes(workload: ResolvedWorkload): Fields {
  const { startup, readiness, liveness } = workload.probes;
  return {
    ...(startup === undefined ? {} : { startupProbe: renderProbe(startup) }),
    ...(readiness === undefined ? {} : { readinessProbe: renderProbe(readiness) }),
    ...(liveness === undefined ? {} : { livenessProbe: renderProbe(liveness) }),
  };
}

function renderProbe(probe: ResolvedProbe): Fields {
  return {
    ...renderProbeAction(probe),
    ...(probe.initialDelaySeconds === undefined ? {} : { initialDelaySeconds: probe.initialDelaySeconds }),
    periodSeconds: probe.periodSeconds,
    timeoutSeconds: probe.timeoutSeconds,
    failureThreshold: probe.failureThreshold,
  };
}

function renderProbeAction(probe: ResolvedProbe): Fields {
  switch (probe.type) {
    case "http": {
      const headers = Object.entries(probe.headers ?? {}).map(([name, value]) => ({ name, value }));
      const httpHeaders = headers.length === 0 ? {} : { httpHeaders: headers };
      return { httpGet: { path: probe.path, port: probe.port, ...httpHeaders } };
    }
    case "tcp":
      return { tcpSocket: { port: probe.port } };
    case "exec":
      return { exec: { command: probe.command } };
  }
}
