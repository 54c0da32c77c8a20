import { refuse } from "../evaluator.ts";
import type { Blueprint } from "../parse-blueprint.ts";
import type { Path } from "../position.ts";
import type { ResolvedHealthCheck, ResolvedProbe, ResolvedWorkload } from "../resolved-app.ts";
import type { ProbeDefinition, WorkloadDefinition } from "../schema/workload.ts";
import { resolveContainer, resolveSecurity } from "./container.ts";
import type { Render } from "./container.ts";

export function resolveWorkload(workload: WorkloadDefinition, path: Path, render: Render): ResolvedWorkload {
  return {
    id: workload.id,
    kind: workload.kind,
    ...resolveContainer(workload, path, render),
    ports: workload.ports,
    volumes: workload.volumes,
    scratchPaths: workload.scratchPaths,
    files: workload.files.map((file, index) => ({
      path: file.path,
      content: file.template ? render(file.content, [...path, "files", index, "content"]) : file.content,
    })),
    probes: resolveProbes(workload, [...path, "probes"], render),
    share: workload.share,
    security: resolveSecurity(workload.security),
  };
}

function resolveProbes({ probes }: WorkloadDefinition, path: Path, render: Render): ResolvedWorkload["probes"] {
  const { startup, readiness, liveness } = probes;
  return {
    ...(startup !== undefined && { startup: resolveProbe(startup, [...path, "startup"], render) }),
    ...(readiness !== undefined && { readiness: resolveProbe(readiness, [...path, "readiness"], render) }),
    ...(liveness !== undefined && { liveness: resolveProbe(liveness, [...path, "liveness"], render) }),
  };
}

function resolveProbe(probe: ProbeDefinition, path: Path, render: Render): ResolvedProbe {
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold } = probe;
  const timing = {
    ...(initialDelaySeconds !== undefined && { initialDelaySeconds }),
    periodSeconds,
    timeoutSeconds,
    failureThreshold,
  };
  switch (probe.type) {
    case "tcp":
      return { ...timing, type: "tcp", port: probe.port };
    case "exec": {
      const command = probe.command.map((text, index) => render(text, [...path, "command", index]));
      return { ...timing, type: "exec", command };
    }
    case "http": {
      const headers = Object.entries(probe.headers ?? {}).map(([name, text]): [string, string] => [
        name,
        render(text, [...path, "headers", name]),
      ]);
      return {
        ...timing,
        type: "http",
        path: render(probe.path, [...path, "path"]),
        port: probe.port,
        ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
      };
    }
  }
}

/**
 * Health checks are called by us, from inside. An address other than the instance's own would let a definition, or a
 * parameter in it, send us anywhere.
 */
export function resolveHealthChecks(
  blueprint: Blueprint,
  workload: WorkloadDefinition,
  path: Path,
  render: Render,
  instanceUrl: string,
): ResolvedHealthCheck[] {
  const own = new URL(instanceUrl).origin;
  return workload.healthChecks.map(({ name, type, url }, index) => {
    const at = [...path, "healthChecks", index, "url"];
    const rendered = render(url, at);
    const parsed = URL.parse(rendered);
    if (parsed === null || parsed.origin !== own || parsed.username !== "" || parsed.password !== "")
      return refuse(blueprint, "URL_BLOCKED", at, "The address must be the instance's own.");
    return { name, type, url: parsed.href };
  });
}
