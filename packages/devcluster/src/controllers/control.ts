import { deepEqual, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import type { ActiveFaults } from "../faults.ts";
import { controllerManager, writeOptions, type Objects } from "../objects/context.ts";
import { createObject } from "../objects/create.ts";
import { deleteObject, type DeleteOptions } from "../objects/delete.ts";
import { replace } from "../objects/update.ts";
import { clone } from "../kube/json.ts";
import type { EventRecorder } from "./events.ts";
import type { ControlLoop } from "./loop.ts";

/** What controllers do with: the same reads and writes as everybody's, under their own names. */
export interface Control {
  readonly objects: Objects;
  readonly loop: ControlLoop;
  readonly events: EventRecorder;
  readonly faults: ActiveFaults;
  /** A simulated duration, given for pace 1, as it is to be waited here. */
  readonly pace: (milliseconds: number) => number;
}

export function find<T extends KubeObject>(
  control: Control,
  resource: string,
  namespace: string,
  name: string,
): T | null {
  return (control.objects.store.get(resource, namespace, name) as T | undefined) ?? null;
}

export function list<T extends KubeObject>(control: Control, resource: string, namespace?: string): T[] {
  return control.objects.store.list(resource, namespace) as T[];
}

export function create<T extends KubeObject>(
  control: Control,
  resource: string,
  namespace: string,
  body: JsonRecord,
): T {
  const kind = control.objects.registry.get(resource);
  return createObject(control.objects, kind, namespace, body, writeOptions(controllerManager)) as T;
}

/** Stores a changed copy; nothing happens if it is equal to what is stored. */
export function update<T extends KubeObject>(control: Control, resource: string, next: T): T {
  const kind = control.objects.registry.get(resource);
  const live = control.objects.store.get(resource, next.metadata.namespace ?? "", next.metadata.name);
  if (live === undefined) return next;
  return replace(control.objects, kind, live, clone(next), writeOptions(controllerManager)) as T;
}

export function updateStatus<T extends KubeObject>(
  control: Control,
  resource: string,
  object: T,
  status: object,
  manager = controllerManager,
): T {
  if (deepEqual(object["status"], status)) return object;
  const kind = control.objects.registry.get(resource);
  const live = control.objects.store.get(resource, object.metadata.namespace ?? "", object.metadata.name);
  if (live === undefined) return object;
  const options = writeOptions(manager, { subresource: "status" });
  const draft = { ...live, metadata: { ...live.metadata, resourceVersion: "" }, status };
  return replace(control.objects, kind, live, draft, options) as T;
}

export function remove(control: Control, resource: string, object: KubeObject, wish: DeleteOptions = {}): void {
  const kind = control.objects.registry.get(resource);
  const { namespace = "", name, uid } = object.metadata;
  const live = control.objects.store.get(resource, namespace, name);
  // Someone else may have been faster, or another object of the same name may stand there now.
  if (live === undefined || live.metadata.uid !== uid) return;
  deleteObject(control.objects, kind, namespace, name, wish, writeOptions(controllerManager));
}
