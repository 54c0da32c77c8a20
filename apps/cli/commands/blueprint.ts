import {
  type Blueprint,
  BlueprintError,
  type BlueprintIssue,
  checkBlueprint,
  describeParameters,
  formatIssue,
  type ParameterValues,
  type PlanLimits,
  priceBlueprint,
  resolveBlueprint,
  toJsonSchema,
  validateParameters,
} from "@sewa/blueprint";
import { type KubeManifest, renderManifests } from "@sewa/provisioner/render";
import type { Command } from "commander";
import { stringify } from "yaml";
import { exitCodes, Refusal } from "../failure.ts";
import { type JsonOption, leaf, show, table, toJson } from "../output.ts";
import { parsePlan, readBlueprint, typedParameters, parameterOption } from "./blueprint-input.ts";

type Parameters = Readonly<Record<string, string>>;

/** What a blueprint's author needs, without a database, a cluster or an account. */
export function addBlueprintCommands(program: Command): void {
  const group = program.command("blueprint").description("write and try blueprints, offline");
  leaf(group, "check <file>", "say what is wrong with a blueprint, with line and column")
    .option("--publish", "as strictly as when it is sold")
    .action(check);
  leaf(group, "price <file>", "say what the chosen parameters cost").addOption(parameterOption()).action(price);
  leaf(group, "render <file>", "print the Kubernetes objects of an app")
    .addOption(parameterOption())
    .option("--plan <limits>", "such as cpuLimit=2,memoryLimit=2Gi,storage=10Gi", "")
    .option("--name <name>", "what the customer calls the app", "Example")
    .option("--unclaimed", "as it is before the owner account is claimed: with the claim job, without an address")
    .action(render);
  leaf(group, "schema", "print the JSON Schema of blueprints, for editors").action(() => {
    process.stdout.write(`${toJson(toJsonSchema())}\n`);
  });
}

async function check(file: string, options: JsonOption & { readonly publish?: boolean }): Promise<void> {
  const issues = await findIssues(file, options.publish === true ? "publish" : "check");
  const errors = issues.filter(({ severity }) => severity === "error").length;
  show(options, { file, ok: errors === 0, issues }, () =>
    [
      ...issues.map((issue) => formatIssue(issue, file)),
      issues.length === 0 ? `${file} is fine.` : `${errors} error(s), ${issues.length - errors} warning(s).`,
    ].join("\n"),
  );
  if (errors > 0) process.exitCode = exitCodes.refused;
}

async function findIssues(file: string, mode: "check" | "publish"): Promise<readonly BlueprintIssue[]> {
  try {
    return checkBlueprint(await readBlueprint(file), mode);
  } catch (error) {
    // A text that cannot be read at all has issues of the same kind.
    if (error instanceof BlueprintError) return error.issues;
    throw error;
  }
}

async function price(file: string, options: JsonOption & { readonly param: Parameters }): Promise<void> {
  const blueprint = await readBlueprint(file);
  const given = typedParameters(blueprint, options.param);
  const defaults = describeParameters(blueprint).flatMap(({ name, default: value }) =>
    value === null ? [] : [[name, value] as const],
  );
  refuseWrong(blueprint, given);
  const result = located(file, () => priceBlueprint(blueprint, { ...Object.fromEntries(defaults), ...given }));
  show(options, result, () =>
    [
      table(
        result.lines.map(({ target, value, label, amount }) => ({ target: target ?? "always", value, label, amount })),
        "This blueprint has no prices of its own; its plans have.",
      ),
      `total ${result.total}`,
    ].join("\n"),
  );
}

interface RenderOptions extends JsonOption {
  readonly param: Parameters;
  readonly plan: string;
  readonly name: string;
  readonly unclaimed?: boolean;
}

async function render(file: string, options: RenderOptions): Promise<void> {
  const blueprint = await readBlueprint(file);
  const values = validValues(blueprint, typedParameters(blueprint, options.param));
  const manifests = located(file, () => renderExample(blueprint, values, parsePlan(options.plan), options));
  show(options, manifests, () =>
    manifests
      .map((manifest) => stringify(manifest, { lineWidth: 0 }))
      .join("---\n")
      .trimEnd(),
  );
}

/** Ids of nobody: the same blueprint always prints the same. */
const exampleId = "00000000-0000-7000-8000-000000000000";
const exampleHost = "example-a1b2c3.apps.example.com";

function renderExample(
  blueprint: Blueprint,
  values: ParameterValues,
  limits: PlanLimits,
  { name, unclaimed = false }: RenderOptions,
): readonly KubeManifest[] {
  const app = resolveBlueprint(blueprint, {
    values,
    limits,
    instance: { id: exampleId, name, host: exampleHost, url: `https://${exampleHost}` },
  });
  return renderManifests(
    {
      houseId: exampleId,
      organizationId: exampleId,
      subscriptionId: exampleId,
      instanceId: exampleId,
      host: exampleHost,
      phase: "running",
      generation: 1,
      restartRequestedAt: null,
      app,
      limits,
      // Real ones are generated for each order and are nobody's business here.
      secrets: Object.fromEntries(app.secrets.map((secret) => [secret.name, "generated-for-each-order"])),
      ownerClaimed: !unclaimed,
    },
    {
      ingressClassName: "traefik",
      ingressNamespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
      storageClassName: null,
      ingressTls: "default",
    },
  );
}

/** With defaults filled in. Throws for every value that is wrong, and for those that are missing. */
function validValues(blueprint: Blueprint, given: ParameterValues): ParameterValues {
  const parameters = validateParameters(blueprint, given);
  if (parameters.ok) return parameters.values;
  throw refusalOf(parameters.issues);
}

/** A price may be asked for without the values that it does not depend on. */
function refuseWrong(blueprint: Blueprint, given: ParameterValues): void {
  const parameters = validateParameters(blueprint, given);
  const about = new Set(Object.keys(given).map((name) => `parameters.${name}`));
  const issues = parameters.ok ? [] : parameters.issues.filter(({ path }) => about.has(path));
  if (issues.length > 0) throw refusalOf(issues);
}

function refusalOf(issues: readonly BlueprintIssue[]): Refusal {
  return new Refusal(issues.map(({ path, message }) => `${path}: ${message}`).join("\n"));
}

/** Issues are shown with the name of their file. */
function located<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    throw new Refusal(error.issues.map((issue) => formatIssue(issue, file)).join("\n"), { cause: error });
  }
}
