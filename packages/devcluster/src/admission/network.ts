import { randomInt } from "node:crypto";
import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { invalidValue } from "../kube/causes.ts";
import { invalid } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import { ensureRecord, setDefault } from "../resources/defaults-pod.ts";

const serviceRangePrefix = "10.96.";
const nodePorts = { first: 30_000, last: 32_767 };

/** Gives a new Service its cluster address and node ports; 422 for addresses that cannot be had. */
export function allocateServiceAddresses(objects: Objects, draft: JsonRecord, _isDryRun: boolean): void {
  const spec = ensureRecord(draft, "spec");
  if (spec["type"] === "ExternalName") return;
  const others = objects.store.list("services").map((service) => recordOf(service["spec"]));
  const taken = new Set(others.map((other) => stringOf(other["clusterIP"])));
  const wanted = stringOf(spec["clusterIP"]);
  if (wanted !== "" && wanted !== "None") checkAddress(draft, wanted, taken);
  const address = wanted === "" ? freeAddress(taken) : wanted;
  spec["clusterIP"] = address;
  spec["clusterIPs"] = [address];
  setDefault(spec, "ipFamilies", ["IPv4"]);
  setDefault(spec, "ipFamilyPolicy", "SingleStack");
  if (spec["type"] !== "NodePort" && spec["type"] !== "LoadBalancer") return;
  const usedPorts = new Set(
    others.flatMap((other) => listOf(other["ports"]).map((port) => recordOf(port)["nodePort"])),
  );
  for (const port of listOf(spec["ports"]).filter(isRecord)) {
    if (port["nodePort"] === undefined) port["nodePort"] = freePort(usedPorts);
    usedPorts.add(port["nodePort"]);
  }
}

function checkAddress(draft: JsonRecord, address: string, taken: ReadonlySet<string>): void {
  const why = !address.startsWith(serviceRangePrefix)
    ? "the provided network does not match the current range"
    : taken.has(address)
      ? "provided IP is already allocated"
      : null;
  if (why === null) return;
  const cause = invalidValue("spec.clusterIPs", [address], `failed to allocate IP ${address}: ${why}`);
  throw invalid({ group: "", kind: "Service" }, stringOf(recordOf(draft["metadata"])["name"]), [cause]);
}

function freeAddress(taken: ReadonlySet<string>): string {
  for (;;) {
    const address = `${serviceRangePrefix}${randomInt(0, 256)}.${randomInt(1, 255)}`;
    if (!taken.has(address)) return address;
  }
}

function freePort(used: ReadonlySet<unknown>): number {
  for (;;) {
    const port = randomInt(nodePorts.first, nodePorts.last + 1);
    if (!used.has(port)) return port;
  }
}

/** A new Ingress without a class gets the default class, if there is one. */
export function defaultIngressClass(objects: Objects, draft: JsonRecord): void {
  const spec = ensureRecord(draft, "spec");
  const annotations = recordOf(recordOf(draft["metadata"])["annotations"]);
  if (spec["ingressClassName"] !== undefined || annotations["kubernetes.io/ingress.class"] !== undefined) return;
  const byDefault = objects.store
    .list("ingressclasses.networking.k8s.io")
    .find((item) => item.metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true");
  if (byDefault !== undefined) spec["ingressClassName"] = byDefault.metadata.name;
}
