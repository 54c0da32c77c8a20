import { deepEqual, recordOf } from "../kube/json.ts";
import type { Claim, Pod, ResourceList, ResourceQuota, Service } from "../kube/kinds.ts";
import { as, type KubeObject } from "../kube/object.ts";
import { addQuantities, formatQuantity, quantityOf, zeroQuantity, type Quantity } from "../kube/quantity.ts";
import { forbidden } from "../kube/status.ts";
import { controllerManager, type Objects } from "../objects/context.ts";
import { ownersAfterUpdate } from "../fields/managed-fields.ts";
import type { Resource } from "../resources/registry.ts";

type Usage = Map<string, Quantity>;

const one: Quantity = { nano: 1_000_000_000n, form: "decimal" };

function add(usage: Usage, name: string, amount: Quantity): void {
  usage.set(name, addQuantities(usage.get(name) ?? zeroQuantity, amount));
}

/** What one object counts as. Pods that have ended no longer count. */
export function usageOf(resource: Resource, object: KubeObject): Usage {
  const usage: Usage = new Map();
  const counted = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  add(usage, `count/${counted}`, one);
  if (["services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas"].includes(resource.key)) {
    add(usage, resource.key, one);
  }
  if (resource.key === "pods") addPod(usage, as<Pod>(object));
  if (resource.key === "persistentvolumeclaims") {
    add(usage, "requests.storage", quantityOf(as<Claim>(object).spec.resources.requests["storage"]));
  }
  if (resource.key === "services") {
    const { spec } = as<Service>(object);
    const ports = BigInt(spec.type === "ClusterIP" || spec.type === "ExternalName" ? 0 : (spec.ports ?? []).length);
    if (ports > 0n) add(usage, "services.nodeports", { nano: one.nano * ports, form: "decimal" });
    if (spec.type === "LoadBalancer") add(usage, "services.loadbalancers", one);
  }
  return usage;
}

function addPod(usage: Usage, pod: Pod): void {
  if (pod.status.phase === "Succeeded" || pod.status.phase === "Failed") {
    usage.clear();
    add(usage, "count/pods", one);
    return;
  }
  add(usage, "pods", one);
  for (const { resources } of pod.spec.containers) {
    for (const [name, amount] of Object.entries(resources?.requests ?? {})) {
      add(usage, `requests.${name}`, quantityOf(amount));
      if (name === "cpu" || name === "memory") add(usage, name, quantityOf(amount));
    }
    for (const [name, amount] of Object.entries(resources?.limits ?? {}))
      add(usage, `limits.${name}`, quantityOf(amount));
  }
}

/** What the namespace holds of the things that the quota counts. */
export function usedOf(objects: Objects, quota: ResourceQuota): ResourceList {
  const total: Usage = new Map();
  const namespace = quota.metadata.namespace ?? "";
  for (const resource of objects.registry.all) {
    if (!resource.isNamespaced) continue;
    for (const object of objects.store.list(resource.key, namespace)) {
      for (const [name, amount] of usageOf(resource, object)) add(total, name, amount);
    }
  }
  return Object.fromEntries(
    Object.keys(quota.spec.hard ?? {}).map((name) => [name, formatQuantity(total.get(name) ?? zeroQuantity)]),
  );
}

/** Stores the quota's status, if it changed. */
export function storeUsage(objects: Objects, quota: ResourceQuota, used: ResourceList, manager: string): void {
  const status = { hard: quota.spec.hard ?? {}, used };
  if (deepEqual(quota.status, status)) return;
  const resource = objects.registry.get("resourcequotas");
  const next: ResourceQuota = { ...quota, status };
  const writer = { manager, operation: "Update", apiVersion: "v1", subresource: "status" } as const;
  const ownership = { type: resource.type, onlyBranch: "status", hasStatus: true } as const;
  const managedFields = ownersAfterUpdate(ownership, quota, next, quota.metadata.managedFields, writer);
  objects.store.put("resourcequotas", { ...next, metadata: { ...quota.metadata, managedFields } });
}

export function refreshQuota(objects: Objects, quota: ResourceQuota): void {
  storeUsage(objects, quota, usedOf(objects, quota), controllerManager);
}

/** 403 if a quota of the namespace has no room for the new object; otherwise `used` is raised in this very request. */
export function chargeQuota(objects: Objects, resource: Resource, object: KubeObject, isDryRun: boolean): void {
  const usage = usageOf(resource, object);
  for (const item of objects.store.list("resourcequotas", object.metadata.namespace ?? "")) {
    const quota = as<ResourceQuota>(item);
    const hard = quota.spec.hard ?? {};
    if (resource.key === "pods") refuseUnspecified(resource, as<Pod>(object), quota);
    const used = usedOf(objects, quota);
    const names = Object.keys(hard).filter((name) => usage.has(name));
    const exceeded = names
      .filter(
        (name) =>
          addQuantities(quantityOf(used[name]), usage.get(name) ?? zeroQuantity).nano > quantityOf(hard[name]).nano,
      )
      .toSorted();
    if (exceeded.length > 0) {
      const list = (amounts: ResourceList): string => exceeded.map((name) => `${name}=${amounts[name]}`).join(",");
      const requested = Object.fromEntries(
        names.map((name) => [name, formatQuantity(usage.get(name) ?? zeroQuantity)]),
      );
      const why = `exceeded quota: ${item.metadata.name}, requested: ${list(requested)}, used: ${list(used)}, limited: ${list(hard)}`;
      throw forbidden(resource, object.metadata.name, why);
    }
    if (isDryRun || names.length === 0) continue;
    const raised = { ...used };
    for (const name of names) {
      raised[name] = formatQuantity(addQuantities(quantityOf(used[name]), usage.get(name) ?? zeroQuantity));
    }
    storeUsage(objects, quota, raised, "kube-apiserver");
  }
}

/** A quota on cpu or memory demands that every container says how much it takes. */
function refuseUnspecified(resource: Resource, pod: Pod, quota: ResourceQuota): void {
  const missing = Object.keys(quota.spec.hard ?? {})
    .filter((name) => /^((requests|limits)\.)?(cpu|memory)$/.test(name))
    .toSorted()
    .flatMap((name) => {
      const [side, kind] = name.includes(".") ? name.split(".") : ["requests", name];
      const without = pod.spec.containers.filter(
        (container) => recordOf(recordOf(container.resources)[side ?? ""])[kind ?? ""] === undefined,
      );
      return without.length === 0 ? [] : [`${name} for: ${without.map((container) => container.name).join(",")}`];
    });
  if (missing.length === 0) return;
  throw forbidden(
    resource,
    pod.metadata.name,
    `failed quota: ${quota.metadata.name}: must specify ${missing.join("; ")}`,
  );
}
