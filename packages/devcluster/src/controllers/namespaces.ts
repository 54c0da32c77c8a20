import type { Condition, Namespace } from "../kube/kinds.ts";
import type { KubeObject } from "../kube/object.ts";
import { controllerManager, writeOptions, type Objects } from "../objects/context.ts";
import { createObject } from "../objects/create.ts";
import { find, remove, updateStatus, type Control } from "./control.ts";
import { finalizeNamespace } from "./finalize.ts";
import type { Controller } from "./loop.ts";
import { withCondition } from "./pod-state.ts";

/** Content is deleted only so long after the request, even of an empty namespace. */
const contentDelayMs = 5_000;
/** A real server looks again every five seconds or so. Nobody learns anything from that wait, so it is shorter here. */
const lookAgainMs = 1_000;

const certificateNote =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the " +
  "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes " +
  "clusters.";

/** The ServiceAccount and the certificate that every namespace has, and gets back when they are deleted. */
export function ensureNamespaceDefaults(objects: Objects, namespace: string): void {
  const found = objects.store.get("namespaces", "", namespace);
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
  const options = writeOptions(controllerManager);
  if (objects.store.get("configmaps", namespace, "kube-root-ca.crt") === undefined) {
    const metadata = { name: "kube-root-ca.crt", annotations: { "kubernetes.io/description": certificateNote } };
    const data = { "ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" };
    createObject(objects, objects.registry.get("configmaps"), namespace, { metadata, data }, options);
  }
  if (objects.store.get("serviceaccounts", namespace, "default") === undefined) {
    createObject(
      objects,
      objects.registry.get("serviceaccounts"),
      namespace,
      { metadata: { name: "default" } },
      options,
    );
  }
}

/**
 * Keeps the default objects and ends namespaces: after a while all content is deleted, again and again until nothing is
 * left, then the finalizer `kubernetes` is taken away and the namespace is gone.
 */
export function namespaceController(control: Control): Controller {
  const controller: Controller = {
    name: "namespace",
    keysOf({ resource, object, type }): readonly string[] {
      if (resource === "namespaces") return type === "DELETED" ? [] : [object.metadata.name];
      if (type !== "DELETED") return [];
      const isDefault = resource === "serviceaccounts" || resource === "configmaps";
      const namespace = object.metadata.namespace ?? "";
      return isDefault || deadlines.has(namespace) ? [namespace] : [];
    },
    reconcile(name): void {
      const namespace = find<Namespace>(control, "namespaces", "", name);
      if (namespace === null) {
        deadlines.delete(name);
        return;
      }
      if (namespace.metadata.deletionTimestamp === undefined) ensureNamespaceDefaults(control.objects, name);
      else terminate(namespace);
    },
  };
  /** When the content of a terminating namespace is next looked at, in real time. */
  const deadlines = new Map<string, number>();

  function terminate(namespace: Namespace): void {
    const { name } = namespace.metadata;
    const waits = control.pace(contentDelayMs);
    const due = deadlines.get(name) ?? Date.now() + waits;
    deadlines.set(name, due);
    // The finalizer for foreground deletion has nothing to wait for here: the content is not owned by references.
    const others = (namespace.metadata.finalizers ?? []).filter((item) => item !== "foregroundDeletion");
    let current = namespace;
    if (others.length !== (namespace.metadata.finalizers ?? []).length) {
      const { finalizers: _finalizers, ...metadata } = namespace.metadata;
      const rest = others.length === 0 ? metadata : { ...metadata, finalizers: others };
      current = control.objects.store.put("namespaces", { ...namespace, metadata: rest }) as Namespace;
    }
    if (Date.now() < due) {
      control.loop.later(controller, name, due - Date.now());
      return;
    }
    const left = deleteContent(control, name);
    const { undiscovered } = control.faults;
    if (left.length === 0 && undiscovered.length === 0) {
      deadlines.delete(name);
      if ((current.spec.finalizers ?? []).length > 0) {
        const status = { ...current.status, conditions: conditionsFor(current, [], []) };
        finalizeNamespace(control.objects, updateStatus(control, "namespaces", current, status), { spec: {} });
      }
      return;
    }
    const conditions = conditionsFor(current, left, undiscovered);
    updateStatus(control, "namespaces", current, { ...current.status, conditions });
    const again = Math.max(control.pace(lookAgainMs), 20);
    deadlines.set(name, Date.now() + again);
    control.loop.later(controller, name, again);
  }

  return controller;
}

interface Remaining {
  readonly resource: string;
  readonly objects: readonly KubeObject[];
}

/** Deletes everything in the namespace and answers what is still there. */
function deleteContent(control: Control, namespace: string): Remaining[] {
  const { store, registry } = control.objects;
  const kinds = registry.all.filter((resource) => resource.isNamespaced);
  for (const resource of kinds) {
    for (const object of store.list(resource.key, namespace)) {
      remove(control, resource.key, object, { propagationPolicy: "Background" });
    }
  }
  return kinds
    .map((resource) => ({
      resource: resource.group === "" ? `${resource.plural}.` : resource.key,
      objects: store.list(resource.key, namespace),
    }))
    .filter((item) => item.objects.length > 0);
}

/** The five conditions that say what holds a namespace. */
function conditionsFor(namespace: Namespace, left: readonly Remaining[], undiscovered: readonly string[]): Condition[] {
  const remaining = left.map((item) => `${item.resource} has ${item.objects.length} resource instances`);
  const counts = new Map<string, number>();
  for (const finalizer of left.flatMap((item) => item.objects.flatMap((object) => object.metadata.finalizers ?? []))) {
    counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  const held = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const wanted: Condition[] = [
    undiscovered.length === 0
      ? bad("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered")
      : good("NamespaceDeletionDiscoveryFailure", "DiscoveryFailed", discoveryFailure(undiscovered)),
    bad(
      "NamespaceDeletionGroupVersionParsingFailure",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    bad(
      "NamespaceDeletionContentFailure",
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ),
    remaining.length === 0
      ? bad("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed")
      : good(
          "NamespaceContentRemaining",
          "SomeResourcesRemain",
          `Some resources are remaining: ${remaining.join(", ")}`,
        ),
    held.length === 0
      ? bad("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
      : good(
          "NamespaceFinalizersRemaining",
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${held.join(", ")}`,
        ),
  ];
  let conditions = namespace.status.conditions ?? [];
  for (const condition of wanted) conditions = withCondition(conditions, condition);
  return conditions;
}

function discoveryFailure(undiscovered: readonly string[]): string {
  const each = undiscovered.map((name) => `${name}: stale GroupVersion discovery: ${name}`).join(", ");
  const count = undiscovered.length;
  return `Discovery failed for some groups, ${count} failing: unable to retrieve the complete list of server APIs: ${each}`;
}

function bad(type: string, reason: string, message: string): Condition {
  return { type, status: "False", reason, message };
}

function good(type: string, reason: string, message: string): Condition {
  return { type, status: "True", reason, message };
}
