import type { Ingress, ResourceQuota } from "../kube/kinds.ts";
import { refreshQuota } from "../admission/quota.ts";
import { find, list, updateStatus, type Control } from "./control.ts";
import { keyOf, splitKey, type Controller } from "./loop.ts";

/** Recounts what each quota's namespace holds. Admission has counted what came; this counts what went. */
export function quotaController(control: Control): Controller {
  return {
    name: "quota",
    keysOf({ resource, object, type }): readonly string[] {
      if (resource === "resourcequotas") return type === "DELETED" ? [] : [keyOf(object)];
      if (object.metadata.namespace === undefined || (type === "MODIFIED" && resource !== "pods")) return [];
      return list(control, "resourcequotas", object.metadata.namespace).map(keyOf);
    },
    reconcile(key): void {
      const quota = find<ResourceQuota>(control, "resourcequotas", ...splitKey(key));
      if (quota !== null && quota.metadata.deletionTimestamp === undefined) refreshQuota(control.objects, quota);
    },
  };
}

/** Writes the address of the development ingress into every Ingress, as an ingress controller does. */
export function ingressController(control: Control, className: string): Controller {
  return {
    name: "ingress",
    keysOf: ({ resource, object, type }) =>
      resource === "ingresses.networking.k8s.io" && type !== "DELETED" ? [keyOf(object)] : [],
    reconcile(key): void {
      const ingress = find<Ingress>(control, "ingresses.networking.k8s.io", ...splitKey(key));
      if (ingress === null || ingress.metadata.deletionTimestamp !== undefined) return;
      // An Ingress of another class is somebody else's.
      if (
        (ingress.spec.ingressClassName ?? className) !== className ||
        ingress.status.loadBalancer.ingress !== undefined
      )
        return;
      const status = { loadBalancer: { ingress: [{ ip: "127.0.0.1" }] } };
      updateStatus(control, "ingresses.networking.k8s.io", ingress, status, "devcluster-ingress");
    },
  };
}
