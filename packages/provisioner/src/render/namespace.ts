import { annotationKeys, namespaceName, objectNames, ownLabels, ownObject, requestLabel } from "./names.ts";
import {
  bytesQuantity,
  cpuQuantity,
  jobResources,
  maxResources,
  part,
  sumResources,
  workloadResources,
} from "./resources.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

/** Objects beside the app's own that Kubernetes or an operator may put into the namespace, such as the root certificate. */
const spareObjects = 5;

/** Isolation, quota and complete removal hang on this one object. */
export function renderNamespace(spec: InstanceSpec): KubeManifest {
  const podSecurity = "pod-security.kubernetes.io";
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: namespaceName(spec.instanceId),
      labels: {
        ...ownLabels(spec),
        ...requestLabel(spec),
        [`${podSecurity}/enforce`]: "restricted",
        [`${podSecurity}/audit`]: "restricted",
        [`${podSecurity}/warn`]: "restricted",
      },
      annotations: { [annotationKeys.generation]: String(spec.generation) },
    },
  };
}

/**
 * The plan plus the claim job. The job's part stays after the claim: taking it away would change the quota of every
 * instance once more for nothing, and a later claim needs it again.
 */
export function renderQuota(spec: InstanceSpec, settings: ClusterSettings): KubeManifest {
  const { app, limits } = spec;
  const rendered = sumResources(app.workloads.map((workload) => workloadResources(workload, limits)));
  const apps = maxResources(rendered, limits);
  const total = app.claim === null ? apps : sumResources([apps, jobResources(settings)]);
  const volumes = app.workloads.flatMap((workload) => workload.volumes);
  const storage = volumes.reduce((sum, { share }) => sum + part(limits.storageBytes, share), 0);
  const pods = app.workloads.length + (app.claim === null ? 0 : 1);
  return ownObject(spec, "v1", "ResourceQuota", objectNames.quota, {
    spec: {
      hard: {
        "requests.cpu": cpuQuantity(total.cpuRequestMillis),
        "limits.cpu": cpuQuantity(total.cpuLimitMillis),
        "requests.memory": bytesQuantity(total.memoryRequestBytes),
        "limits.memory": bytesQuantity(total.memoryLimitBytes),
        "requests.storage": bytesQuantity(Math.max(limits.storageBytes, storage)),
        persistentvolumeclaims: String(volumes.length),
        pods: String(pods),
        services: String(app.workloads.length),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "count/configmaps": String(app.workloads.length + spareObjects),
        "count/secrets": String(1 + spareObjects),
        "count/jobs.batch": String(spareObjects),
        "count/ingresses.networking.k8s.io": String(1 + spareObjects),
      },
    },
  });
}

/**
 * Fills in what a container leaves out and caps one container at the whole plan. It is applied before the workload:
 * a pod over the cap would be refused after its predecessor was stopped, and the app would be down.
 */
export function renderLimitRange(spec: InstanceSpec, settings: ClusterSettings): KubeManifest {
  const job = jobResources(settings);
  const rendered = spec.app.workloads.map((workload) => workloadResources(workload, spec.limits));
  const max = [...rendered, job].reduce(maxResources, spec.limits);
  return ownObject(spec, "v1", "LimitRange", objectNames.limitRange, {
    spec: {
      limits: [
        {
          type: "Container",
          defaultRequest: { cpu: cpuQuantity(job.cpuRequestMillis), memory: bytesQuantity(job.memoryRequestBytes) },
          default: { cpu: cpuQuantity(job.cpuLimitMillis), memory: bytesQuantity(job.memoryLimitBytes) },
          max: { cpu: cpuQuantity(max.cpuLimitMillis), memory: bytesQuantity(max.memoryLimitBytes) },
        },
      ],
    },
  });
}

/** Pods run as this account; it has no rights and its token is mounted nowhere. */
export function renderServiceAccount(spec: InstanceSpec): KubeManifest {
  return ownObject(spec, "v1", "ServiceAccount", objectNames.serviceAccount, { automountServiceAccountToken: false });
}
