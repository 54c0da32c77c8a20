import type { Fields, FieldType, Scope } from "./expression/scope.ts";
import { isWorkload } from "./schema/workload.ts";
import type { BlueprintDefinition } from "./schema/definition.ts";
import type { ParameterDefinition } from "./schema/parameter.ts";

/**
 * Which names an expression may say, by where it stands.
 * - pricing: `parameters`, `env`. Prices, usage and mappings are known before anything runs.
 * - app: also `instance`, `plan` and `resources`, and `mappings` inside a workload that has them.
 * - foreign: whatever the driver of that resource offers; of ours, only `parameters` are known.
 */
export type ScopeKind = "pricing" | "app" | "foreign";

const fieldTypes = {
  string: "string",
  integer: "int",
  // Whole numbers are ints and others doubles when they come, so `parameters.nodes + 1` works for both.
  number: "dyn",
  boolean: "bool",
} as const satisfies Record<ParameterDefinition["type"], FieldType>;

const instanceFields = { id: "string", name: "string", host: "string", url: "string" } as const;
const planFields = { cpuMillis: "int", memoryBytes: "int", memoryMiB: "int", storageBytes: "int" } as const;

export function buildScope(definition: BlueprintDefinition, kind: ScopeKind, mappings: readonly string[] = []): Scope {
  const parameters = declaredFields(definition.parameters);
  if (kind === "foreign") return { roots: { parameters }, open: true };
  const env = declaredFields(definition.settings);
  if (kind === "pricing") return { roots: { parameters, env }, open: false };
  const roots: Fields = {
    parameters,
    env,
    instance: instanceFields,
    plan: planFields,
    resources: Object.fromEntries(
      definition.resources.filter(isWorkload).map((workload): [string, Fields] => [
        workload.id,
        {
          host: "string",
          ports: Object.fromEntries(workload.ports.map(({ name }): [string, FieldType] => [name, "int"])),
        },
      ]),
    ),
    ...(mappings.length > 0 && {
      mappings: Object.fromEntries(mappings.map((name): [string, FieldType] => [name, "dyn"])),
    }),
  };
  return { roots, open: false };
}

function declaredFields(declarations: readonly ParameterDefinition[]): Fields {
  return Object.fromEntries(declarations.map(({ name, type }): [string, FieldType] => [name, fieldTypes[type]]));
}
