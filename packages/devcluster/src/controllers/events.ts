import { microTimestamp, timestamp, type KubeObject } from "../kube/object.ts";
import { writeOptions, type Objects } from "../objects/context.ts";
import { createObject } from "../objects/create.ts";
import { numberOf } from "../kube/json.ts";
import { replace } from "../objects/update.ts";
import { ApiError } from "../kube/status.ts";

export interface EventSource {
  readonly component: string;
  readonly host?: string;
}

/** Events are for people who look now: the oldest go when there are more. */
const keptEvents = 2_000;

/** Writes the Events that a person reads. The same sentence about the same object is counted, not repeated. */
export class EventRecorder {
  readonly #objects: Objects;
  readonly #known = new Map<string, { readonly namespace: string; readonly name: string }>();
  #sequence = BigInt(Date.now()) * 1_000_000n;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** True when this very sentence about the object was written before and still stands. */
  isKnown(about: KubeObject, reason: string, message: string): boolean {
    const known = this.#known.get(`${about.metadata.uid} ${reason} ${message}`);
    return known !== undefined && this.#objects.store.get("events", known.namespace, known.name) !== undefined;
  }

  record(
    about: KubeObject,
    source: EventSource,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    fieldPath?: string,
  ): void {
    const { store, registry } = this.#objects;
    const resource = registry.get("events");
    const namespace = about.metadata.namespace ?? "default";
    const id = `${about.metadata.uid} ${reason} ${message}`;
    const known = this.#known.get(id);
    const existing = known === undefined ? undefined : store.get("events", known.namespace, known.name);
    const options = writeOptions(source.component === "kubelet" ? "kubelet" : managerOf(source.component));
    if (existing !== undefined) {
      const count = numberOf(existing["count"], 1) + 1;
      replace(this.#objects, resource, existing, { ...existing, count, lastTimestamp: timestamp() }, options);
      return;
    }
    const name = `${about.metadata.name}.${(this.#sequence++).toString(16)}`;
    const body = eventBody(about, namespace, name, source, type, reason, message, fieldPath);
    try {
      createObject(this.#objects, resource, namespace, body, options);
    } catch (error) {
      // Nothing can be written into a namespace that is going away; its events are not missed.
      if (error instanceof ApiError) return;
      throw error;
    }
    this.#remember(id, namespace, name);
  }

  #remember(id: string, namespace: string, name: string): void {
    this.#known.set(id, { namespace, name });
    if (this.#known.size <= keptEvents) return;
    const [oldest] = this.#known;
    if (oldest === undefined) return;
    this.#known.delete(oldest[0]);
    const object = this.#objects.store.get("events", oldest[1].namespace, oldest[1].name);
    if (object !== undefined) this.#objects.store.remove("events", object);
  }
}

function managerOf(component: string): string {
  return component === "default-scheduler" ? "kube-scheduler" : "kube-controller-manager";
}

/** The scheduler writes through the newer Event API, which shows as empty times and source in the older one. */
function eventBody(
  about: KubeObject,
  namespace: string,
  name: string,
  source: EventSource,
  type: string,
  reason: string,
  message: string,
  fieldPath: string | undefined,
): Record<string, unknown> {
  const { uid, resourceVersion } = about.metadata;
  const involvedObject = {
    kind: about.kind,
    namespace: about.metadata.namespace,
    name: about.metadata.name,
    uid,
    apiVersion: about.apiVersion,
    resourceVersion,
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
  const common = { metadata: { name, namespace }, involvedObject, reason, message, type };
  if (source.component === "default-scheduler") {
    return {
      ...common,
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: microTimestamp(),
      ...(reason === "Scheduled" ? { action: "Binding" } : { action: "Scheduling" }),
      reportingComponent: source.component,
      reportingInstance: `${source.component}-devcluster`,
    };
  }
  const now = timestamp();
  return {
    ...common,
    source,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    eventTime: null,
    reportingComponent: source.component,
    reportingInstance: source.host ?? "",
  };
}
