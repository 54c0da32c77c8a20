import type { ResolvedWorkload } from "@sewa/blueprint";
import { configHash } from "./config.ts";
import { annotationKeys, labelKeys, ownObject, podLabels, requestLabel, workloadSelector } from "./names.ts";
import { renderContainer, renderMounts, renderPodBase, renderProbes, renderSysctls, renderVolumes } from "./pod.ts";
import { bytesQuantity, part, workloadResources } from "./resources.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What an app gets to write its data down after SIGTERM. */
const terminationGracePeriodSeconds = 30;

/**
 * One PersistentVolumeClaim per volume, for StatefulSets too: a claim of our own can grow with the plan, while a
 * StatefulSet's claim templates can never be changed. With one replica there is no other difference.
 */
export function renderVolumeClaims(
  spec: InstanceSpec,
  workload: ResolvedWorkload,
  settings: ClusterSettings,
): readonly KubeManifest[] {
  return wantedVolumes(spec, workload).map(({ name, bytes }) =>
    ownObject(spec, "v1", "PersistentVolumeClaim", name, {
      spec: {
        accessModes: ["ReadWriteOnce"],
        ...(settings.storageClassName === null ? {} : { storageClassName: settings.storageClassName }),
        resources: { requests: { storage: bytesQuantity(bytes) } },
      },
    }),
  );
}

/** Each volume's part of the plan's storage. */
export function wantedVolumes(
  spec: InstanceSpec,
  workload: ResolvedWorkload,
): readonly { readonly name: string; readonly bytes: number }[] {
  return workload.volumes.map(({ name, share }) => ({ name, bytes: part(spec.limits.storageBytes, share) }));
}

export function renderWorkload(
  spec: InstanceSpec,
  workload: ResolvedWorkload,
  settings: ClusterSettings,
): KubeManifest {
  const shared = {
    replicas: spec.phase === "running" ? 1 : 0,
    revisionHistoryLimit: 2,
    selector: { matchLabels: workloadSelector(spec, workload.id) },
    template: renderTemplate(spec, workload, settings),
  };
  if (workload.kind === "StatefulSet") {
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Retain" };
    return withRequest(
      spec,
      ownObject(spec, "apps/v1", "StatefulSet", workload.id, {
        spec: { ...shared, serviceName: workload.id, persistentVolumeClaimRetentionPolicy },
      }),
    );
  }
  // Recreate: two pods must never write to one volume, and the plan pays for one.
  return withRequest(
    spec,
    ownObject(spec, "apps/v1", "Deployment", workload.id, {
      spec: { ...shared, strategy: { type: "Recreate" }, progressDeadlineSeconds: spec.app.provisionDeadlineSeconds },
    }),
  );
}

function withRequest(spec: InstanceSpec, manifest: KubeManifest): KubeManifest {
  const { metadata } = manifest;
  return { ...manifest, metadata: { ...metadata, labels: { ...metadata.labels, ...requestLabel(spec) } } };
}

/** Named after the workload, so that the app's parts find each other; null when nothing listens. */
export function renderService(spec: InstanceSpec, workload: ResolvedWorkload): KubeManifest | null {
  if (workload.ports.length === 0) return null;
  return ownObject(spec, "v1", "Service", workload.id, {
    spec: {
      type: "ClusterIP",
      selector: workloadSelector(spec, workload.id),
      ports: workload.ports.map(({ name, port }) => ({ name, port, targetPort: name, protocol: "TCP" })),
    },
  });
}

function renderTemplate(spec: InstanceSpec, workload: ResolvedWorkload, settings: ClusterSettings): Fields {
  const base = renderPodBase(workload.security, settings);
  const resources = workloadResources(workload, spec.limits);
  const restart = spec.restartRequestedAt;
  return {
    metadata: {
      labels: { ...podLabels(spec), [labelKeys.workload]: workload.id },
      annotations: {
        [annotationKeys.configHash]: configHash(spec, workload),
        ...(restart === null ? {} : { [annotationKeys.restartRequestedAt]: restart }),
      },
    },
    spec: {
      ...base,
      securityContext: { ...(base["securityContext"] as Fields), ...renderSysctls(workload) },
      terminationGracePeriodSeconds,
      containers: [
        {
          ...renderContainer(workload.id, workload, workload.security.readOnlyRootFilesystem, resources),
          ports: workload.ports.map(({ name, port }) => ({ name, containerPort: port, protocol: "TCP" })),
          volumeMounts: renderMounts(workload),
          ...renderProbes(workload),
        },
      ],
      volumes: renderVolumes(workload),
    },
  };
}
