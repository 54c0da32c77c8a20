import { contains } from "./cidr.ts";
import type { Connection, Endpoint, Namespace, NetworkPolicy, Peer, Pod, PolicyPort } from "./policy.ts";
import { selects } from "./selector.ts";

type Direction = "Ingress" | "Egress";

interface Rule {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly PolicyPort[] | undefined;
}

/**
 * Whether policies let a connection through: out of the calling pod, and into the called one. Pure; no cluster is asked.
 *
 * A pod that no policy selects for a direction is open in it; one that is selected is closed but for what some policy's
 * rule allows. What is no pod has no policy. A pod always reaches itself. Where network plugins differ the answer is the
 * more open one, so that a "no" holds on all of them: ranges of addresses count for pods too. Not judged: the kubelet's
 * probes, which every plugin lets in from the pod's own node.
 */
export function isAllowed(
  connection: Connection,
  policies: readonly NetworkPolicy[],
  namespaces: readonly Namespace[],
): boolean {
  const { from, to } = connection;
  if ("pod" in from && "pod" in to && isSame(from.pod, to.pod)) return true;
  const opens = (pod: Pod, direction: Direction, other: Endpoint): boolean => {
    const own = policies.filter((policy) => applies(policy, pod, direction));
    if (own.length === 0) return true;
    return own.some((policy) =>
      rulesOf(policy, direction).some(
        ({ peers, ports }) => allowsPeer(peers, other, policy, namespaces) && allowsPort(ports, connection),
      ),
    );
  };
  return (!("pod" in from) || opens(from.pod, "Egress", to)) && (!("pod" in to) || opens(to.pod, "Ingress", from));
}

function isSame(a: Pod, b: Pod): boolean {
  return a.namespace === b.namespace && a.name === b.name;
}

function applies({ metadata, spec }: NetworkPolicy, pod: Pod, direction: Direction): boolean {
  const types = spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])];
  return metadata.namespace === pod.namespace && types.includes(direction) && selects(spec.podSelector, pod.labels);
}

function rulesOf({ spec }: NetworkPolicy, direction: Direction): Rule[] {
  return direction === "Ingress"
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
}

/** No list and an empty list both mean everybody. */
function allowsPeer(
  peers: readonly Peer[] | undefined,
  other: Endpoint,
  policy: NetworkPolicy,
  namespaces: readonly Namespace[],
): boolean {
  if (peers === undefined || peers.length === 0) return true;
  const address = "pod" in other ? other.pod.address : other.address;
  return peers.some(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined)
      return contains(ipBlock.cidr, address) && !(ipBlock.except ?? []).some((cidr) => contains(cidr, address));
    if (!("pod" in other)) return false;
    const { pod } = other;
    if (!selects(podSelector ?? {}, pod.labels)) return false;
    // Pods alone mean pods of the policy's own namespace.
    if (namespaceSelector === undefined) return pod.namespace === policy.metadata.namespace;
    const namespace = namespaces.find(({ name }) => name === pod.namespace);
    if (namespace === undefined)
      throw new Error(`The namespace ${pod.namespace} of a pod is not among the namespaces.`);
    return selects(namespaceSelector, namespace.labels);
  });
}

function allowsPort(ports: readonly PolicyPort[] | undefined, { to, port, protocol }: Connection): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some((allowed) => {
    if ((allowed.protocol ?? "TCP") !== protocol) return false;
    if (allowed.port === undefined) return true;
    if (typeof allowed.port === "number") return port >= allowed.port && port <= (allowed.endPort ?? allowed.port);
    // Names belong to the called pod; an address has none.
    const named = "pod" in to ? to.pod.ports : [];
    return named.some((own) => own.name === allowed.port && own.port === port && own.protocol === protocol);
  });
}
