import { text, type Answer } from "../api/http.ts";
import { isRecord, listOf, type JsonRecord } from "../kube/json.ts";
import type { Node, Pod } from "../kube/kinds.ts";
import type { KubeObject } from "../kube/object.ts";
import { methodNotAllowed, notFound, unknownResource } from "../kube/status.ts";
import { selectionOf } from "../objects/list.ts";
import type { Objects } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { toNodeMetrics, toPodMetrics } from "./measure.ts";
import type { MetricsSwitches } from "./switches.ts";

const group = "metrics.k8s.io";
const groupVersion = `${group}/v1beta1`;
const root = `/apis/${groupVersion}`;
const version = { groupVersion, version: "v1beta1" };

const resourceList = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion,
  resources: [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ],
};

/** The API that a metrics-server adds to a cluster: it stores nothing, and is asked through the API server. */
export class MetricsApi {
  readonly #objects: Objects;
  readonly #switches: MetricsSwitches;

  constructor(objects: Objects, switches: MetricsSwitches) {
    this.#objects = objects;
    this.#switches = switches;
  }

  /** Null for paths that are not of this group, and for all of them while nobody has registered it. */
  answer(method: string | undefined, path: string, query: URLSearchParams): Answer | null {
    const { state } = this.#switches;
    if (state === "absent") return null;
    const isGroup = path === `/apis/${group}` || path === `/apis/${group}/`;
    if (!isGroup && path !== root && !path.startsWith(`${root}/`)) return null;
    // The group itself is told by the API server, which also speaks for whoever does not answer.
    if (isGroup) return { status: 200, body: { kind: "APIGroup", apiVersion: "v1", ...this.#group() } };
    if (state === "unavailable") return text(503, "service unavailable\n", { "x-content-type-options": "nosniff" });
    if (method !== "GET") throw methodNotAllowed();
    const parts = path.slice(root.length).split("/").filter(Boolean).map(decodeURIComponent);
    return parts.length === 0 ? { status: 200, body: resourceList } : this.#measured(parts, query);
  }

  /** The list of groups with this one at its end, in whichever form it was asked for. */
  addGroup(path: string, found: Answer): Answer {
    const { state } = this.#switches;
    if (state === "absent" || (path !== "/apis" && path !== "/apis/") || !isRecord(found.body)) return found;
    const { body } = found;
    if (body["groups"] !== undefined)
      return { ...found, body: { ...body, groups: [...listOf(body["groups"]), this.#group()] } };
    const resources = resourceList.resources.map((resource) => ({
      resource: resource.name,
      responseKind: { group, version: "v1beta1", kind: resource.kind },
      scope: resource.namespaced ? "Namespaced" : "Cluster",
      singularResource: "",
      verbs: resource.verbs,
    }));
    // Nobody can be asked what a server serves that does not answer.
    const told = state === "served" ? { version: "v1beta1", resources, freshness: "Current" } : stale;
    return {
      ...found,
      body: { ...body, items: [...listOf(body["items"]), { metadata: { name: group }, versions: [told] }] },
    };
  }

  #group(): JsonRecord {
    return { name: group, versions: [version], preferredVersion: version };
  }

  #measured(parts: readonly string[], query: URLSearchParams): Answer {
    const isNamespaced = parts[0] === "namespaces" && parts.length >= 3;
    const namespace = isNamespaced ? (parts[1] ?? "") : null;
    const [plural, name, ...more] = isNamespaced ? parts.slice(2) : parts;
    if (more.length > 0) throw unknownResource();
    if (plural === "nodes" && namespace === null) return this.#nodes(name, query);
    if (plural !== "pods" || (name !== undefined && namespace === null)) throw unknownResource();
    return this.#pods(namespace, name, query);
  }

  #pods(namespace: string | null, name: string | undefined, query: URLSearchParams): Answer {
    const now = new Date();
    const toMetrics = (pod: Pod): JsonRecord => toPodMetrics(pod, now, this.#switches.setUsage);
    if (name === undefined) {
      const pods = this.#runningPods(namespace ?? undefined).filter(this.#selected("pods", query));
      return listAnswer("PodMetrics", pods.map(toMetrics));
    }
    const pods = { group: "", plural: "pods", kind: "Pod" };
    if (this.#objects.store.get("pods", namespace ?? "", name) === undefined) throw notFound(pods, name);
    const pod = this.#runningPods(namespace ?? "").find(({ metadata }) => metadata.name === name);
    if (pod === undefined) throw notFound({ group, plural: "podmetrics", kind: "PodMetrics" }, `${namespace}/${name}`);
    return objectAnswer("PodMetrics", toMetrics(pod));
  }

  #nodes(name: string | undefined, query: URLSearchParams): Answer {
    const now = new Date();
    const toMetrics = (node: Node): JsonRecord => {
      const pods = this.#runningPods().filter(({ spec }) => spec.nodeName === node.metadata.name);
      return toNodeMetrics(node, pods, now, this.#switches.setUsage);
    };
    const nodes = (this.#objects.store.list("nodes") as Node[]).filter(isAnswering);
    if (name === undefined)
      return listAnswer("NodeMetrics", nodes.filter(this.#selected("nodes", query)).map(toMetrics));
    if (this.#objects.store.get("nodes", "", name) === undefined)
      throw notFound({ group: "", plural: "nodes", kind: "Node" }, name);
    const node = nodes.find(({ metadata }) => metadata.name === name);
    if (node === undefined) throw notFound({ group, plural: "nodemetrics", kind: "NodeMetrics" }, name);
    return objectAnswer("NodeMetrics", toMetrics(node));
  }

  /** Those whose containers run, on machines that answer. */
  #runningPods(namespace?: string): readonly Pod[] {
    const lost = new Set(
      (this.#objects.store.list("nodes") as Node[])
        .filter((node) => !isAnswering(node))
        .map((node) => node.metadata.name),
    );
    return (this.#objects.store.list("pods", namespace) as Pod[]).filter(
      ({ spec, status }) =>
        status.phase === "Running" &&
        !lost.has(spec.nodeName ?? "") &&
        (status.containerStatuses ?? []).every(({ state }) => state.running !== undefined),
    );
  }

  #selected(plural: "pods" | "nodes", query: URLSearchParams): (object: KubeObject) => boolean {
    const resource = this.#objects.registry.find("", "v1", plural) as Resource;
    return selectionOf(resource, query.get("labelSelector"), query.get("fieldSelector")).matches;
  }
}

const stale = { version: "v1beta1", freshness: "Stale" };

function isAnswering(node: Node): boolean {
  return node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function objectAnswer(kind: string, metrics: JsonRecord): Answer {
  return { status: 200, body: { kind, apiVersion: groupVersion, ...metrics } };
}

function listAnswer(kind: string, items: readonly JsonRecord[]): Answer {
  return { status: 200, body: { kind: `${kind}List`, apiVersion: groupVersion, metadata: {}, items } };
}
