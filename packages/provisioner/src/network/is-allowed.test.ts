import { describe, expect, test } from "vitest";
import { contains } from "./cidr.ts";
import { isAllowed } from "./is-allowed.ts";
import type { Connection, NetworkPolicy, Pod } from "./policy.ts";

const namespaces = [
  { name: "shop", labels: { team: "a" } },
  { name: "other", labels: { team: "b" } },
];
const pod = (name: string, change: Partial<Pod> = {}): Pod => ({
  namespace: "shop",
  name,
  labels: { app: name },
  address: "10.42.0.5",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  ...change,
});
const [web, db, stranger] = [pod("web"), pod("db"), pod("web", { namespace: "other", address: "10.42.9.9" })];
const policy = (spec: NetworkPolicy["spec"]): NetworkPolicy => ({ metadata: { name: "p", namespace: "shop" }, spec });
const allowed = (connection: Partial<Connection>, ...specs: NetworkPolicy["spec"][]): boolean =>
  isAllowed(
    { from: { pod: web }, to: { pod: db }, port: 8080, protocol: "TCP", ...connection },
    specs.map(policy),
    namespaces,
  );
const everyPod = { podSelector: {} };

describe("which pods a policy closes", () => {
  test.each<[string, boolean, NetworkPolicy["spec"][]]>([
    ["none without a policy", true, []],
    ["the selected ones, against what comes in", false, [{ ...everyPod, policyTypes: ["Ingress"] }]],
    ["the selected ones, against what goes out", false, [{ ...everyPod, policyTypes: ["Egress"] }]],
    ["only the selected ones", true, [{ podSelector: { matchLabels: { app: "cache" } }, policyTypes: ["Ingress"] }]],
    ["Ingress when no types are said", false, [{ ...everyPod }]],
    ["Egress too when it has such rules", false, [{ podSelector: { matchLabels: { app: "web" } }, egress: [] }]],
    ["no longer where another policy allows", true, [{ ...everyPod }, { ...everyPod, ingress: [{}] }]],
  ])("%s", (_name, expected, specs) => {
    expect(allowed({}, ...specs)).toBe(expected);
  });
  test("a pod always reaches itself", () => {
    expect(allowed({ to: { pod: web } }, { ...everyPod, policyTypes: ["Ingress", "Egress"] })).toBe(true);
  });
  test("a policy means nothing in another namespace", () => {
    expect(allowed({ from: { pod: stranger }, to: { pod: pod("x", { namespace: "other" }) } }, everyPod)).toBe(true);
  });
});

describe("whom a rule lets in", () => {
  const from = (...peers: NonNullable<NonNullable<NetworkPolicy["spec"]["ingress"]>[number]["from"]>) => ({
    ...everyPod,
    ingress: [{ from: peers }],
  });
  const teamB = { matchLabels: { team: "b" } };
  test.each<[string, boolean, Connection["from"], NetworkPolicy["spec"]]>([
    ["pods of its own namespace by label", true, { pod: web }, from({ podSelector: { matchLabels: { app: "web" } } })],
    ["not the like of another namespace", false, { pod: stranger }, from({ podSelector: {} })],
    ["all pods of a namespace by its label", true, { pod: stranger }, from({ namespaceSelector: teamB })],
    [
      "not other pods of that namespace when both are said",
      false,
      { pod: stranger },
      from({ namespaceSelector: teamB, podSelector: { matchLabels: { app: "db" } } }),
    ],
    ["addresses of a range", true, { address: "203.0.113.9" }, from({ ipBlock: { cidr: "203.0.113.0/24" } })],
    [
      "not what the range leaves out",
      false,
      { address: "203.0.113.9" },
      from({ ipBlock: { cidr: "0.0.0.0/0", except: ["203.0.113.0/28"] } }),
    ],
    ["pods by their address too", true, { pod: stranger }, from({ ipBlock: { cidr: "10.42.0.0/16" } })],
    ["no address by selectors", false, { address: "203.0.113.9" }, from({ podSelector: {}, namespaceSelector: {} })],
    ["everybody with an empty list", true, { address: "203.0.113.9" }, from()],
  ])("%s", (_name, expected, caller, spec) => {
    expect(allowed({ from: caller }, spec)).toBe(expected);
  });
  test("it refuses to guess about a namespace that it was not told of", () => {
    const lost = { pod: pod("web", { namespace: "lost" }) };
    expect(() => allowed({ from: lost }, from({ namespaceSelector: {} }))).toThrow("lost");
  });
});

describe("which ports a rule opens", () => {
  const ports = (...list: NonNullable<NonNullable<NetworkPolicy["spec"]["ingress"]>[number]["ports"]>) => ({
    ...everyPod,
    ingress: [{ ports: list }],
  });
  test.each<[string, boolean, Partial<Connection>, NetworkPolicy["spec"]]>([
    ["TCP when no protocol is said", true, {}, ports({ port: 8080 })],
    ["not the same number of UDP", false, { protocol: "UDP" }, ports({ port: 8080 })],
    ["the first of a range", true, { port: 26 }, ports({ port: 26, endPort: 30 })],
    ["the last of a range", true, { port: 30 }, ports({ port: 26, endPort: 30 })],
    ["not below it", false, { port: 25 }, ports({ port: 26, endPort: 30 })],
    ["not above it", false, { port: 31 }, ports({ port: 26, endPort: 30 })],
    ["a port by its name in the called pod", true, {}, ports({ port: "http" })],
    ["not another port by that name", false, { port: 9090 }, ports({ port: "http" })],
    ["every port of a protocol", true, { protocol: "UDP", port: 7 }, ports({ protocol: "UDP" })],
    ["every port with an empty list", true, { port: 7 }, ports()],
  ])("%s", (_name, expected, connection, spec) => {
    expect(allowed(connection, spec)).toBe(expected);
  });
  test("a name opens nothing at an address, which has no names", () => {
    const egress = [{ ports: [{ port: "http" }] }];
    expect(allowed({ to: { address: "203.0.113.9" } }, { ...everyPod, policyTypes: ["Egress"], egress })).toBe(false);
  });
});

describe("selectors by expression", () => {
  test.each<[string, string, readonly string[] | undefined, boolean]>([
    ["app", "In", ["web", "x"], true],
    ["app", "In", ["x"], false],
    ["app", "NotIn", ["x"], true],
    ["app", "NotIn", ["web"], false],
    ["tier", "NotIn", ["x"], true],
    ["app", "Exists", undefined, true],
    ["tier", "Exists", undefined, false],
    ["tier", "DoesNotExist", undefined, true],
    ["app", "DoesNotExist", undefined, false],
  ])("%s %s %j: %s", (key, operator, values, expected) => {
    const podSelector = { matchExpressions: [{ key, operator, ...(values !== undefined && { values }) }] };
    expect(allowed({}, { ...everyPod, ingress: [{ from: [{ podSelector }] }] })).toBe(expected);
  });
  test("an operator that does not exist is an error, never a no", () => {
    const podSelector = { matchExpressions: [{ key: "app", operator: "Like", values: ["w"] }] };
    expect(() => allowed({}, { podSelector })).toThrow("Like");
  });
});

describe("ranges of addresses", () => {
  test.each<[string, string, boolean]>([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["fc00::/7", "fd12::1", true],
    ["fc00::/7", "2001:db8::1", false],
    ["192.0.2.1/32", "192.0.2.1", true],
  ])("%s holds %s: %s", (cidr, address, expected) => {
    expect(contains(cidr, address)).toBe(expected);
  });
  test.each([
    ["10.0.0.0", "10.0.0.1"],
    ["shop/8", "10.0.0.1"],
    ["10.0.0.0/8", "shop"],
  ])("%s and %s are refused", (cidr, address) => {
    expect(() => contains(cidr, address)).toThrow("is no");
  });
});
