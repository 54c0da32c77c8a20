import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderManifests } from "../render/index.ts";
import { catalogFiles, catalogSpec } from "../render/testing/catalog-spec.ts";
import type { InstanceSpec } from "../render/types.ts";
import { arbitrarySpec } from "../testing/arbitrary-spec.ts";
import { testSettings, testSpec } from "../testing/specs.ts";
import { isAllowed } from "./is-allowed.ts";
import type { Endpoint, Namespace, Pod, Protocol } from "./policy.ts";
import { readNetwork } from "./rendered.ts";
import type { RenderedNetwork } from "./rendered.ts";

const addresses = (network: number): string[] => Array.from({ length: 8 }, (_, at) => `10.42.${network}.${at + 1}`);

const system: Namespace = { name: "kube-system", labels: { "kubernetes.io/metadata.name": "kube-system" } };
const systemPod = (name: string, labels: Pod["labels"], ports: Pod["ports"], address: string): Pod => ({
  namespace: system.name,
  name,
  labels,
  ports,
  address,
});
const dns = systemPod("coredns", { "k8s-app": "kube-dns" }, [], "10.42.0.53");
const ingress = systemPod("traefik", { "app.kubernetes.io/name": "traefik" }, [], "10.42.0.80");

const networkOf = (spec: InstanceSpec, network = 1): RenderedNetwork =>
  readNetwork(renderManifests(spec, testSettings), addresses(network));

/** Whether one end reaches the other in a cluster with these instances. */
function reaches(
  instances: readonly RenderedNetwork[],
  from: Endpoint,
  to: Endpoint,
  port: number,
  protocol: Protocol = "TCP",
): boolean {
  const policies = instances.flatMap((instance) => instance.policies);
  return isAllowed({ from, to, port, protocol }, policies, [system, ...instances.map(({ namespace }) => namespace)]);
}

function podOf({ pods }: RenderedNetwork, workload: string): { readonly pod: Pod } {
  const pod = pods.find(({ labels }) => labels["sewa.dev/workload"] === workload);
  if (pod === undefined) throw new Error(`There is no pod of ${workload}.`);
  return { pod };
}

describe.each(catalogFiles)("the pods of %s", (file) => {
  const closed = networkOf(catalogSpec(file, { ownerClaimed: false }));
  const open = networkOf(catalogSpec(file, { ownerClaimed: true }));
  const { exposed } = catalogSpec(file).app;
  const exposedPort = (of: RenderedNetwork): number =>
    podOf(of, exposed.workload).pod.ports.find(({ name }) => name === exposed.port)?.port ?? 0;

  test("reach each other: the database, the app, and the claim the app", () => {
    expect(closed.pods.length).toBe(open.pods.length + 1);
    for (const caller of closed.pods)
      for (const called of closed.pods)
        for (const { port } of called.ports)
          expect(reaches([closed], { pod: caller }, { pod: called }, port)).toBe(true);
  });

  test.each<[string, Endpoint, number, Protocol]>([
    ["names are looked up over UDP", { pod: dns }, 53, "UDP"],
    ["names are looked up over TCP", { pod: dns }, 53, "TCP"],
    ["the public internet, with TLS", { address: "93.184.215.14" }, 443, "TCP"],
    ["the public internet of IPv6", { address: "2606:2800:21f::1" }, 443, "TCP"],
    ["a mail service, on its port for clients", { address: "93.184.215.14" }, 587, "TCP"],
  ])("reach what they need: %s", (_name, to, port, protocol) => {
    for (const pod of open.pods) expect(reaches([open], { pod }, to, port, protocol)).toBe(true);
  });

  test.each<[string, Endpoint, number]>([
    ["the machine that they run on", { address: "192.168.1.11" }, 10_250],
    ["its SSH", { address: "192.168.1.11" }, 22],
    ["the API server on a machine", { address: "192.168.1.10" }, 6443],
    ["the API server in the cluster", { address: "10.43.0.1" }, 443],
    ["the metadata of a cloud", { address: "169.254.169.254" }, 80],
    ["10.0.0.0/8", { address: "10.1.2.3" }, 443],
    ["172.16.0.0/12", { address: "172.31.255.1" }, 443],
    ["192.168.0.0/16", { address: "192.168.178.1" }, 80],
    ["the range of carriers", { address: "100.64.0.1" }, 443],
    ["loopback", { address: "127.0.0.1" }, 6443],
    ["private addresses of IPv6", { address: "fd00::1" }, 443],
    ["link-local addresses of IPv6", { address: "fe80::1" }, 443],
    ["the API server through IPv6's translation", { address: "64:ff9b::a2b:1" }, 443],
    ["mail servers of other people", { address: "93.184.215.14" }, 25],
    ["mail servers of other people over IPv6", { address: "2606:2800:21f::1" }, 25],
    ["the ingress controller inside", { pod: ingress }, 8000],
    ["another port of the name server", { pod: dns }, 9153],
  ])("never reach %s", (_name, to, port) => {
    for (const pod of [...closed.pods, ...open.pods]) expect(reaches([closed], { pod }, to, port)).toBe(false);
  });

  test("are reached from outside by the ingress controller only, at the exposed port, and only once claimed", () => {
    const from = { pod: ingress };
    expect(reaches([closed], from, podOf(closed, exposed.workload), exposedPort(closed))).toBe(false);
    expect(reaches([open], from, podOf(open, exposed.workload), exposedPort(open))).toBe(true);
    for (const pod of open.pods)
      for (const { port } of [...pod.ports, { port: 22 }]) {
        const isExposed = pod === podOf(open, exposed.workload).pod && port === exposedPort(open);
        expect(reaches([open], from, { pod }, port)).toBe(isExposed);
        for (const address of ["93.184.215.14", "192.168.1.11", "10.42.7.7"])
          expect(reaches([open], { address }, { pod }, port)).toBe(false);
      }
  });

  test("neither reach another instance of the same app nor are reached by it, in one organization or two", () => {
    const instanceId = "0199aaaa-0000-7000-8000-00000000000f";
    for (const organizationId of [testSpec().organizationId, "0199aaaa-0000-7000-8000-0000000000ff"]) {
      const other = networkOf(catalogSpec(file, { instanceId, organizationId, ownerClaimed: true }), 2);
      for (const [from, to] of [
        [open, other],
        [other, open],
      ] as const)
        for (const caller of from.pods)
          for (const called of to.pods)
            for (const { port } of called.ports)
              expect(reaches([from, to], { pod: caller }, { pod: called }, port)).toBe(false);
    }
  });
});

test("Ghost and WordPress have a database of their own that is proved here", () => {
  for (const file of ["ghost.yaml", "wordpress.yaml"]) {
    const network = networkOf(catalogSpec(file, { ownerClaimed: true }));
    expect(reaches([network], podOf(network, "app"), podOf(network, "db"), 3306)).toBe(true);
    expect(reaches([network], { pod: ingress }, podOf(network, "db"), 3306)).toBe(false);
  }
});

test("no app whatsoever reaches another tenant's pods, at any port", () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  const protocol = fc.constantFrom<Protocol>("TCP", "UDP");
  fc.assert(
    fc.property(arbitrarySpec, arbitrarySpec, port, protocol, (one, two, anyPort, anyProtocol) => {
      fc.pre(one.instanceId !== two.instanceId);
      const [from, to] = [networkOf(one, 1), networkOf(two, 2)];
      for (const caller of from.pods)
        for (const called of to.pods)
          for (const at of [anyPort, ...called.ports.map((own) => own.port)])
            expect(reaches([from, to], { pod: caller }, { pod: called }, at, anyProtocol)).toBe(false);
    }),
  );
});
