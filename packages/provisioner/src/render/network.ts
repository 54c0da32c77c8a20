import { labelKeys, ownObject } from "./names.ts";
import { isAddressOpen } from "./ingress.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

/** Everything that is not the public internet: private, shared, loopback, link-local (cloud metadata), multicast, reserved. */
const notPublic = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::1/128",
  "64:ff9b::/96",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
];

/**
 * Closed in both directions, then opened for exactly five uses. Policies add up, so each is an object of its own and
 * can be read by itself.
 */
export function renderNetworkPolicies(spec: InstanceSpec, settings: ClusterSettings): readonly KubeManifest[] {
  const policies = [
    policy(spec, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy(spec, "allow-own-pods", {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }],
    }),
    policy(spec, "allow-dns", { podSelector: {}, policyTypes: ["Egress"], egress: [dnsRule()] }),
    policy(spec, "allow-internet", { podSelector: {}, policyTypes: ["Egress"], egress: [internetRule(settings)] }),
  ];
  // Closed until claimed: not even the ingress controller reaches the app before its owner account is taken.
  if (isAddressOpen(spec)) policies.push(ingressControllerPolicy(spec, settings));
  return policies;
}

function policy(spec: InstanceSpec, name: string, body: Readonly<Record<string, unknown>>): KubeManifest {
  return ownObject(spec, "networking.k8s.io/v1", "NetworkPolicy", name, { spec: body });
}

function dnsRule(): Readonly<Record<string, unknown>> {
  return {
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
    ],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
}

/** A policy can only allow, so port 25 (mail straight to other people's servers) is left out by allowing its neighbours. */
function internetRule(settings: ClusterSettings): Readonly<Record<string, unknown>> {
  const closed = [...new Set([...(settings.privateRanges ?? notPublic), ...(settings.apiServerCidrs ?? [])])];
  const isIpv6 = (cidr: string): boolean => cidr.includes(":");
  return {
    to: [
      { ipBlock: { cidr: "0.0.0.0/0", except: closed.filter((cidr) => !isIpv6(cidr)) } },
      { ipBlock: { cidr: "::/0", except: closed.filter(isIpv6) } },
    ],
    ports: [
      { protocol: "TCP", port: 1, endPort: 24 },
      { protocol: "TCP", port: 26, endPort: 65535 },
      { protocol: "UDP", port: 1, endPort: 65535 },
    ],
  };
}

function ingressControllerPolicy(spec: InstanceSpec, settings: ClusterSettings): KubeManifest {
  const { exposed, workloads } = spec.app;
  // By number where it is known: not every network plugin resolves port names.
  const ports = workloads.find(({ id }) => id === exposed.workload)?.ports ?? [];
  const port = ports.find(({ name }) => name === exposed.port)?.port ?? exposed.port;
  return policy(spec, "allow-ingress-controller", {
    podSelector: { matchLabels: { [labelKeys.workload]: exposed.workload } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: settings.ingressNamespaceLabels } }],
        ports: [{ protocol: "TCP", port }],
      },
    ],
  });
}
