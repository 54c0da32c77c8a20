import type { Ingress, IngressBackend, Pod, Service } from "../kube/kinds.ts";
import { selectorMatcher } from "../kube/selector.ts";
import { isActive, isReady } from "../controllers/pod-state.ts";
import type { Store } from "../store/store.ts";

/** Where a request for a host and path ends. */
export type Resolution =
  | { readonly kind: "unknown" }
  | { readonly kind: "unavailable"; readonly ingress: Ingress; readonly why: string }
  | { readonly kind: "served"; readonly ingress: Ingress; readonly service: string; readonly pod: Pod };

/** Finds the Ingress for a host and a ready pod behind it. Exact hosts win over wildcards, longer paths over shorter. */
export function resolveRequest(store: Store, host: string, path: string): Resolution {
  const candidates = (store.list("ingresses.networking.k8s.io") as Ingress[]).flatMap((ingress) =>
    (ingress.spec.rules ?? [])
      .filter((rule) => matchesHost(rule.host, host))
      .flatMap((rule) => (rule.http?.paths ?? []).map((item) => ({ ingress, rule, item })))
      .filter(({ item }) => matchesPath(item.path ?? "/", item.pathType, path)),
  );
  const [best] = candidates.toSorted(
    (a, b) =>
      Number(b.rule.host === host) - Number(a.rule.host === host) ||
      (b.item.path ?? "/").length - (a.item.path ?? "/").length,
  );
  if (best === undefined) return { kind: "unknown" };
  return resolveBackend(store, best.ingress, best.item.backend);
}

function matchesHost(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined || pattern === "") return true;
  if (!pattern.startsWith("*.")) return pattern === host;
  const rest = host.slice(host.indexOf("."));
  return host.includes(".") && rest === pattern.slice(1);
}

function matchesPath(pattern: string, type: string, path: string): boolean {
  if (type === "Exact") return path === pattern;
  const prefix = pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
  return path === prefix || path.startsWith(`${prefix}/`);
}

function resolveBackend(store: Store, ingress: Ingress, backend: IngressBackend): Resolution {
  const namespace = ingress.metadata.namespace ?? "";
  const name = backend.service?.name ?? "";
  const service = store.get("services", namespace, name) as Service | undefined;
  if (service === undefined) return { kind: "unavailable", ingress, why: `there is no Service ${name}` };
  const wanted = backend.service?.port;
  const hasPort = (service.spec.ports ?? []).some((port) => port.port === wanted?.number || port.name === wanted?.name);
  if (!hasPort) return { kind: "unavailable", ingress, why: `Service ${name} has no such port` };
  const matches = selectorMatcher({ matchLabels: service.spec.selector ?? { "": "" } });
  const pod = (store.list("pods", namespace) as Pod[]).find(
    (item) => matches(item.metadata.labels ?? {}) && isActive(item) && isReady(item),
  );
  return pod === undefined
    ? { kind: "unavailable", ingress, why: `Service ${name} has no ready pod` }
    : { kind: "served", ingress, service: name, pod };
}
