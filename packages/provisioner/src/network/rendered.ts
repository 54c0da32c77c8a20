import type { KubeManifest } from "../render/types.ts";
import type { Labels, Namespace, NetworkPolicy, Pod } from "./policy.ts";

/** What of an instance's manifests decides who reaches whom: its policies, its namespace, and the pods that they lead to. */
export interface RenderedNetwork {
  readonly policies: readonly NetworkPolicy[];
  readonly namespace: Namespace;
  readonly pods: readonly Pod[];
}

interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly containers: readonly {
      readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
}

/**
 * Reads one instance's manifests, as `renderManifests` returns them. Pods get the given addresses in order; there must be
 * one for each.
 */
export function readNetwork(manifests: readonly KubeManifest[], addresses: readonly string[]): RenderedNetwork {
  const metadata = manifests.find(({ kind }) => kind === "Namespace")?.metadata;
  if (metadata === undefined) throw new Error("There is no namespace among the manifests.");
  const name = metadata.name;
  const workloads = manifests.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet" || kind === "Job");
  return {
    policies: manifests.filter(({ kind }) => kind === "NetworkPolicy").map(toPolicy),
    // The API server adds this label to every namespace, whatever was applied.
    namespace: { name, labels: { ...metadata.labels, "kubernetes.io/metadata.name": name } },
    pods: workloads.map((manifest, index) => {
      const address = addresses[index];
      if (address === undefined) throw new Error("There are more pods than addresses.");
      return { ...toPod(manifest), namespace: name, address };
    }),
  };
}

// Rendering builds its manifests as plain data without a type for every kind; the tests hold each against the schema of a
// real server, which is what these two rely on.
function toPolicy(manifest: KubeManifest): NetworkPolicy {
  return manifest as unknown as NetworkPolicy;
}

function toPod(manifest: KubeManifest): Pick<Pod, "name" | "labels" | "ports"> {
  const { template } = manifest["spec"] as { readonly template: PodTemplate };
  const ports = template.spec.containers.flatMap((container) => container.ports ?? []);
  return {
    name: `${manifest.metadata.name}-0`,
    labels: template.metadata.labels,
    ports: ports.map(({ name, containerPort }) => ({ name, port: containerPort, protocol: "TCP" })),
  };
}
