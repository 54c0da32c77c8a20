import { createEvaluator, declaredValues, refuse } from "./evaluator.ts";
import type { Evaluator } from "./evaluator.ts";
import type { ValueTree } from "./expression/scope.ts";
import { formatValue } from "./expression/text.ts";
import type { ParameterValue } from "./parameter-value.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { Path } from "./position.ts";
import { resolveClaim } from "./resolve/container.ts";
import type { Render } from "./resolve/container.ts";
import { resolveHealthChecks, resolveWorkload } from "./resolve/workload.ts";
import type { PlanLimits, ResolvedApp, SecretDeclaration } from "./resolved-app.ts";
import { isWorkload, workloadType } from "./schema/workload.ts";
import type { WorkloadDefinition } from "./schema/workload.ts";
import type { ParameterValues } from "./validate-parameters.ts";

export interface ResolveInput {
  /** As `validateParameters` returned them. */
  readonly values: ParameterValues;
  readonly limits: PlanLimits;
  readonly instance: {
    readonly id: string;
    readonly name: string;
    /** Without scheme, for instance `shop-k3f9x2.apps.example`. */
    readonly host: string;
    /** With scheme and without a path. */
    readonly url: string;
  };
  /** The operator's values for the blueprint's declared settings. */
  readonly settings?: Readonly<Record<string, ParameterValue>>;
}

/**
 * The blueprint with every parameter and expression filled in. Equal input gives equal output. Throws BlueprintError
 * for what cannot be provisioned and for every expression that cannot be evaluated: nothing becomes an empty text.
 */
export function resolveBlueprint(blueprint: Blueprint, input: ResolveInput): ResolvedApp {
  const { definition } = blueprint;
  requireSettings(blueprint, input.settings ?? {});
  const values = valueTree(blueprint, input);
  const app = rendererOf(createEvaluator(blueprint, "app", values));
  const workloads = definition.resources.map((resource, index) => {
    const path = ["resources", index];
    if (!isWorkload(resource))
      return refuse(
        blueprint,
        "NO_DRIVER",
        [...path, "type"],
        `There is no driver for ${resource.type}; only ${workloadType} can be provisioned.`,
      );
    const render = withMappings(blueprint, resource, path, values) ?? app;
    return {
      workload: resolveWorkload(resource, path, render),
      healthChecks: resolveHealthChecks(blueprint, resource, path, render, input.instance.url),
    };
  });
  const exposed = exposedWorkload(blueprint);
  return {
    workloads: workloads.map(({ workload }) => workload),
    exposed: { workload: exposed.workload.id, port: exposed.port },
    claim: definition.claim === undefined ? null : resolveClaim(definition.claim, exposed.workload, app),
    healthChecks: workloads.flatMap(({ healthChecks }) => healthChecks),
    secrets: resolveSecrets(blueprint, app),
    provisionDeadlineSeconds: definition.provisionDeadlineSeconds,
    instructions:
      definition.afterInstallationInstructions === undefined
        ? null
        : app(definition.afterInstallationInstructions, ["afterInstallationInstructions"]),
  };
}

function requireSettings(blueprint: Blueprint, given: Readonly<Record<string, ParameterValue>>): void {
  for (const [index, { name, required, default: fallback }] of blueprint.definition.settings.entries())
    if (required && fallback === undefined && !Object.hasOwn(given, name))
      refuse(blueprint, "INVALID_VALUE", ["settings", index], `The setting ${name} is required.`);
}

function rendererOf(evaluator: Evaluator): Render {
  return (text, path) => formatValue(evaluator.value(text, path));
}

function valueTree(blueprint: Blueprint, { values, settings = {}, limits, instance }: ResolveInput): ValueTree {
  const { id, name, host, url } = instance;
  return {
    parameters: declaredValues(blueprint, "parameters", values),
    env: declaredValues(blueprint, "settings", settings),
    instance: { id, name, host, url },
    plan: {
      cpuMillis: BigInt(limits.cpuLimitMillis),
      memoryBytes: BigInt(limits.memoryLimitBytes),
      memoryMiB: BigInt(Math.floor(limits.memoryLimitBytes / 2 ** 20)),
      storageBytes: BigInt(limits.storageBytes),
    },
    resources: Object.fromEntries(
      blueprint.definition.resources.filter(isWorkload).map((workload) => [
        workload.id,
        // The Service of a workload is named after it, and stands in the same namespace.
        {
          host: workload.id,
          ports: Object.fromEntries(workload.ports.map(({ name: port, port: number }) => [port, BigInt(number)])),
        },
      ]),
    ),
  };
}

/** A renderer that also knows the workload's mappings; null when it has none. */
function withMappings(
  blueprint: Blueprint,
  workload: WorkloadDefinition,
  path: Path,
  values: ValueTree,
): Render | null {
  const names = Object.keys(workload.mappings);
  if (names.length === 0) return null;
  const pricing = createEvaluator(blueprint, "pricing", values);
  const mappings = Object.entries(workload.mappings).map(
    ([name, { value, map }]): [string, string | number | boolean] => {
      const at = [...path, "mappings", name];
      const key = formatValue(pricing.value(value, [...at, "value"]));
      const mapped = Object.hasOwn(map, key) ? map[key] : undefined;
      return [
        name,
        mapped ?? refuse(blueprint, "UNMAPPED_VALUE", [...at, "map"], `${key.slice(0, 100)} is not mapped.`),
      ];
    },
  );
  return rendererOf(createEvaluator(blueprint, "app", { ...values, mappings: Object.fromEntries(mappings) }, names));
}

function exposedWorkload(blueprint: Blueprint): { readonly workload: WorkloadDefinition; readonly port: string } {
  const { exposed, resources } = blueprint.definition;
  if (exposed === undefined) return refuse(blueprint, "NOT_EXPOSED", ["exposed"], "No workload is exposed.");
  const workload = resources.filter(isWorkload).find(({ id }) => id === exposed.workload);
  if (workload === undefined || !workload.ports.some(({ name }) => name === exposed.port))
    return refuse(blueprint, "UNKNOWN_NAME", ["exposed"], `There is no port ${exposed.port} of ${exposed.workload}.`);
  return { workload, port: exposed.port };
}

function resolveSecrets(blueprint: Blueprint, render: Render): SecretDeclaration[] {
  return blueprint.definition.secrets.map(({ name, label, generate, reveal }, index) => ({
    name,
    label,
    reveal,
    generate:
      generate.type === "random"
        ? { type: "random", length: generate.length, charset: generate.charset }
        : { type: "literal", value: render(generate.value, ["secrets", index, "generate", "value"]) },
  }));
}
