import type { Finding } from "./finding.ts";
import type { Path } from "../position.ts";
import { isWorkload } from "../schema/workload.ts";
import type { EnvironmentDefinition, WorkloadDefinition } from "../schema/workload.ts";
import type { BlueprintDefinition } from "../schema/definition.ts";

interface Named {
  readonly name: string;
  readonly path: Path;
}

/** Names are unique where they are looked up, and whatever is referred to by name exists. */
export function checkNames(definition: BlueprintDefinition): Finding[] {
  const at = (list: "parameters" | "settings" | "secrets"): Named[] =>
    definition[list].map(({ name }, index) => ({ name, path: [list, index, "name"] }));
  const workloads = definition.resources.flatMap((resource, index) =>
    isWorkload(resource) ? [{ workload: resource, path: ["resources", index] as Path }] : [],
  );
  return [
    ...duplicates(at("parameters"), "parameter"),
    ...duplicates(at("settings"), "setting"),
    ...duplicates(at("secrets"), "secret"),
    ...duplicates(
      definition.resources.map(({ id }, index) => ({ name: id, path: ["resources", index, "id"] })),
      "resource",
    ),
    ...duplicates(
      workloads.flatMap(({ workload, path }) =>
        workload.volumes.map(({ name }, index) => ({ name, path: [...path, "volumes", index, "name"] })),
      ),
      "volume",
    ),
    ...workloads.flatMap(({ workload, path }) => [
      ...checkWorkload(workload, path),
      ...unknownSecrets(definition, workload.env, [...path, "env"]),
    ]),
    ...(definition.claim === undefined ? [] : unknownSecrets(definition, definition.claim.env, ["claim", "env"])),
    ...checkShares(workloads),
  ];
}

function duplicates(names: readonly Named[], what: string): Finding[] {
  const seen = new Set<string>();
  return names.flatMap(({ name, path }): Finding[] => {
    const known = seen.has(name);
    seen.add(name);
    if (!known) return [];
    return [{ code: "DUPLICATE_NAME", level: "error", path, message: `Another ${what} is called ${name}.` }];
  });
}

function checkWorkload(workload: WorkloadDefinition, path: Path): Finding[] {
  const ports = workload.ports.map(({ name }, index) => ({ name, path: [...path, "ports", index, "name"] }));
  const numbers = workload.ports.map(({ port }, index) => ({
    name: `${port}`,
    path: [...path, "ports", index, "port"],
  }));
  const mounts = [
    ...workload.volumes.map(({ mountPath }, index) => ({
      name: mountPath,
      path: [...path, "volumes", index, "mountPath"],
    })),
    ...workload.scratchPaths.map((name, index) => ({ name, path: [...path, "scratchPaths", index] })),
    ...workload.files.map((file, index) => ({ name: file.path, path: [...path, "files", index, "path"] })),
  ];
  return [
    ...duplicates(ports, "port"),
    ...duplicates(numbers, "port"),
    ...duplicates(mounts, "mounted path"),
    ...Object.entries(workload.probes).flatMap(([name, probe]): Finding[] => {
      if (probe === undefined || probe.type === "exec" || workload.ports.some((port) => port.name === probe.port))
        return [];
      const message = `${workload.id} has no port ${probe.port}.`;
      return [{ code: "UNKNOWN_NAME", level: "error", path: [...path, "probes", name, "port"], message }];
    }),
  ];
}

function unknownSecrets(definition: BlueprintDefinition, env: EnvironmentDefinition, path: Path): Finding[] {
  return Object.entries(env).flatMap(([name, value]): Finding[] => {
    if (typeof value !== "object" || definition.secrets.some((secret) => secret.name === value.secret)) return [];
    const message = `There is no secret ${value.secret}.`;
    return [{ code: "UNKNOWN_NAME", level: "error", path: [...path, name, "secret"], message }];
  });
}

// Shares are decimal fractions of people: three times 0.3333 and 0.0001 may sum to a hair above 1.
const shareTolerance = 1e-9;

function checkShares(workloads: readonly { readonly workload: WorkloadDefinition; readonly path: Path }[]): Finding[] {
  const sum = (of: (workload: WorkloadDefinition) => number): number =>
    workloads.reduce((total, { workload }) => total + of(workload), 0);
  const last = workloads.at(-1);
  if (last === undefined) return [];
  const over = (what: string, total: number, path: Path): Finding[] =>
    total <= 1 + shareTolerance
      ? []
      : [
          {
            code: "SHARE",
            level: "error",
            path,
            message: `The shares of ${what} add up to ${total}, which is above 1.`,
          },
        ];
  return [
    ...over(
      "cpu",
      sum(({ share }) => share.cpu),
      [...last.path, "share", "cpu"],
    ),
    ...over(
      "memory",
      sum(({ share }) => share.memory),
      [...last.path, "share", "memory"],
    ),
    ...over(
      "storage",
      sum(({ volumes }) => volumes.reduce((total, { share }) => total + share, 0)),
      [...last.path, "volumes"],
    ),
  ];
}
