import { objectNames, ownObject } from "./names.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

/** Most apps belong to whoever opens them first, so the address stays closed until the owner account is claimed. */
export function isAddressOpen(spec: InstanceSpec): boolean {
  return spec.app.claim === null || spec.ownerClaimed;
}

/**
 * A stopped instance keeps its Ingress: the address then answers 503 instead of the controller's page for unknown
 * hosts, and resuming needs no new route.
 */
export function renderIngress(spec: InstanceSpec, settings: ClusterSettings): KubeManifest {
  const { workload, port } = spec.app.exposed;
  const backend = { service: { name: workload, port: { name: port } } };
  return ownObject(spec, "networking.k8s.io/v1", "Ingress", objectNames.ingress, {
    spec: {
      ingressClassName: settings.ingressClassName,
      ...renderTls(spec, settings),
      rules: [{ host: spec.host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
}

function renderTls(spec: InstanceSpec, settings: ClusterSettings): Readonly<Record<string, unknown>> {
  const tls = settings.ingressTls ?? null;
  if (tls === null) return {};
  return { tls: [{ hosts: [spec.host], ...(tls === "default" ? {} : { secretName: tls.secretName }) }] };
}
