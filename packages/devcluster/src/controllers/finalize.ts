import { listOf, recordOf } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Objects } from "../objects/context.ts";

/** PUT …/finalize: sets the finalizers of a namespace's spec; one that is being deleted goes with the last of them. */
export function finalizeNamespace(objects: Objects, live: KubeObject, body: Record<string, unknown>): KubeObject {
  const finalizers = listOf(recordOf(body["spec"])["finalizers"]);
  const next: KubeObject = { ...live, spec: finalizers.length === 0 ? {} : { finalizers } };
  const isGone = live.metadata.deletionTimestamp !== undefined && finalizers.length === 0;
  if (!isGone || (live.metadata.finalizers ?? []).length > 0) return objects.store.put("namespaces", next);
  objects.store.remove("namespaces", next);
  return next;
}
