import { renderClaimJob } from "./claim.ts";
import { renderFiles, renderSecret } from "./config.ts";
import { isAddressOpen, renderIngress } from "./ingress.ts";
import { renderLimitRange, renderNamespace, renderQuota, renderServiceAccount } from "./namespace.ts";
import { labelKeys } from "./names.ts";
import { renderNetworkPolicies } from "./network.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";
import { renderService, renderVolumeClaims, renderWorkload } from "./workload.ts";

export { isAddressOpen } from "./ingress.ts";
export { annotationKeys, labelKeys, manager, namespaceName, objectNames } from "./names.ts";
export type { ClusterSettings, ContainerResources, InstanceSpec, KubeManifest, ManifestKind } from "./types.ts";

const defaultPool = "default";

/**
 * Every object of an instance, in the order in which they must be applied: what restricts comes before what runs, what
 * is referred to before what refers, and the address last.
 *
 * An absent instance renders to nothing. The claim job is there only while an instance runs unclaimed; the Ingress only
 * once it is claimed.
 */
export function renderManifests(spec: InstanceSpec, clusterSettings: ClusterSettings): readonly KubeManifest[] {
  if (spec.phase === "absent") return [];
  const settings = settingsOf(spec, clusterSettings);
  const { workloads } = spec.app;
  const services = workloads.map((workload) => renderService(spec, workload));
  const claim = findClaimJob(spec, settings);
  return [
    renderNamespace(spec),
    renderQuota(spec, settings),
    renderLimitRange(spec, settings),
    ...renderNetworkPolicies(spec, settings),
    renderServiceAccount(spec),
    renderSecret(spec),
    ...workloads.filter(({ files }) => files.length > 0).map((workload) => renderFiles(spec, workload)),
    ...workloads.flatMap((workload) => renderVolumeClaims(spec, workload, settings)),
    ...workloads.map((workload) => renderWorkload(spec, workload, settings)),
    ...services.filter((service) => service !== null),
    ...(claim === null ? [] : [claim]),
    ...(isAddressOpen(spec) ? [renderIngress(spec, settings)] : []),
  ];
}

/** The Job that claims the owner account, or null when none is to run now. */
export function findClaimJob(spec: InstanceSpec, settings: ClusterSettings): KubeManifest | null {
  const { claim } = spec.app;
  if (claim === null || spec.ownerClaimed || spec.phase !== "running") return null;
  return renderClaimJob(spec, claim, settingsOf(spec, settings));
}

/** The room that was promised is on the machines of the plan's pool, so the pods go there. */
function settingsOf({ nodePool }: InstanceSpec, settings: ClusterSettings): ClusterSettings {
  if (nodePool === undefined || nodePool === defaultPool) return settings;
  return { ...settings, nodeSelector: { ...settings.nodeSelector, [labelKeys.pool]: nodePool } };
}
