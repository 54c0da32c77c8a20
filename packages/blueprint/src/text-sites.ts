import type { Path } from "./position.ts";
import type { ScopeKind } from "./scopes.ts";
import { isWorkload } from "./schema/workload.ts";
import type {
  ClaimDefinition,
  EnvironmentDefinition,
  ForeignResource,
  ProbeDefinition,
  ResourceDefinition,
  WorkloadDefinition,
} from "./schema/workload.ts";
import type { BlueprintDefinition } from "./schema/definition.ts";

/** A text of the definition in which `${…}` is an expression. */
export interface TextSite {
  readonly path: Path;
  readonly text: string;
  readonly scope: ScopeKind;
  /** Names of the mappings that the text may use. */
  readonly mappings: readonly string[];
}

/** Every text with expressions, in the order of the definition. What is not listed here is never evaluated. */
export function* listTextSites(definition: BlueprintDefinition): Generator<TextSite, void> {
  const site = (path: Path, text: unknown, scope: ScopeKind, mappings: readonly string[] = []): TextSite[] =>
    typeof text === "string" ? [{ path, text, scope, mappings }] : [];

  for (const [index, { generate }] of definition.secrets.entries())
    if (generate.type === "literal") yield* site(["secrets", index, "generate", "value"], generate.value, "app");
  for (const [index, resource] of definition.resources.entries()) yield* resourceSites(resource, ["resources", index]);
  if (definition.claim !== undefined) yield* containerSites(definition.claim, ["claim"], []);
  for (const [index, price] of definition.prices.entries()) {
    yield* site(["prices", index, "target"], price.target, "pricing");
    yield* site(["prices", index, "test"], price.test, "pricing");
  }
  for (const [name, meter] of Object.entries(definition.usage)) {
    if (typeof meter === "object") yield* site(["usage", name, "value"], meter.value, "pricing");
    else yield* site(["usage", name], meter, "pricing");
  }
  const offered = definition.resources.some(isWorkload) ? "app" : "foreign";
  yield* site(["afterInstallationInstructions"], definition.afterInstallationInstructions, offered);
}

function* resourceSites(resource: ResourceDefinition, path: Path): Generator<TextSite, void> {
  const scope = isWorkload(resource) ? "app" : "foreign";
  const mappings = Object.keys(resource.mappings);
  for (const [name, mapping] of Object.entries(resource.mappings))
    yield {
      path: [...path, "mappings", name, "value"],
      text: mapping.value,
      scope: isWorkload(resource) ? "pricing" : "foreign",
      mappings: [],
    };
  if (isWorkload(resource)) yield* workloadSites(resource, path, mappings);
  else yield* foreignSites(resource, path);
  for (const [index, check] of resource.healthChecks.entries())
    yield { path: [...path, "healthChecks", index, "url"], text: check.url, scope, mappings };
}

function* foreignSites(resource: ForeignResource, path: Path): Generator<TextSite, void> {
  for (const [name, value] of Object.entries(resource.parameters))
    if (typeof value === "string")
      yield { path: [...path, "parameters", name], text: value, scope: "foreign", mappings: [] };
}

function* workloadSites(
  workload: WorkloadDefinition,
  path: Path,
  mappings: readonly string[],
): Generator<TextSite, void> {
  yield* containerSites(workload, path, mappings);
  for (const [index, file] of workload.files.entries())
    if (file.template) yield { path: [...path, "files", index, "content"], text: file.content, scope: "app", mappings };
  for (const [name, probe] of Object.entries(workload.probes))
    if (probe !== undefined) yield* probeSites(probe, [...path, "probes", name], mappings);
}

function* containerSites(
  container: Pick<ClaimDefinition, "command" | "args" | "env">,
  path: Path,
  mappings: readonly string[],
): Generator<TextSite, void> {
  for (const key of ["command", "args"] as const)
    for (const [index, text] of (container[key] ?? []).entries())
      yield { path: [...path, key, index], text, scope: "app", mappings };
  for (const { name, text } of environmentTexts(container.env))
    yield { path: [...path, "env", name], text, scope: "app", mappings };
}

function environmentTexts(env: EnvironmentDefinition): { name: string; text: string }[] {
  return Object.entries(env).flatMap(([name, value]) => (typeof value === "string" ? [{ name, text: value }] : []));
}

function* probeSites(probe: ProbeDefinition, path: Path, mappings: readonly string[]): Generator<TextSite, void> {
  switch (probe.type) {
    case "http":
      yield { path: [...path, "path"], text: probe.path, scope: "app", mappings };
      for (const [name, text] of Object.entries(probe.headers ?? {}))
        yield { path: [...path, "headers", name], text, scope: "app", mappings };
      return;
    case "exec":
      for (const [index, text] of probe.command.entries())
        yield { path: [...path, "command", index], text, scope: "app", mappings };
      return;
    case "tcp":
      return;
  }
}
