import { z } from "zod";
import { stringify } from "yaml";
import { parseTemplate } from "./expression/template.ts";
import { issueAt } from "./issue.ts";
import type { BlueprintIssue } from "./issue.ts";
import { limits } from "./limits.ts";
import { listTextSites } from "./text-sites.ts";
import { readSource } from "./source.ts";
import type { Source } from "./position.ts";
import { definitionFields, definitionSchema } from "./schema/definition.ts";
import type { BlueprintDefinition } from "./schema/definition.ts";
import { throwIssues, validate } from "./schema/validate.ts";
import { foreignResourceSchema, workloadSchema, workloadType } from "./schema/workload.ts";
import type { ResourceDefinition } from "./schema/workload.ts";

/** A definition that was read, with the text it came from. Immutable. */
export interface Blueprint {
  readonly definition: BlueprintDefinition;
  /** Tells line and column of any part. */
  readonly source: Source;
}

/**
 * Reads a definition from YAML or JSON. What comes back has the right shape; whether it can be sold is the question of
 * `checkBlueprint`. Throws BlueprintError with every shape issue, each with path, line and column.
 */
export function parseBlueprint(text: string, options: { readonly filename?: string } = {}): Blueprint {
  const source = readSource(text, options.filename);
  const top = validate(definitionSchema, source.value, source);
  const issues: BlueprintIssue[] = [...top.issues];
  const resources = readResources(source, issues);
  throwIssues(issues, source);
  if (top.data === null) throw new Error("A definition without issues has data.");
  const definition = { ...top.data, resources };
  if (countExpressions(definition) > limits.expressions)
    throwIssues(
      [issueAt(source, { code: "TOO_COMPLEX", path: [], message: `At most ${limits.expressions} expressions.` })],
      source,
    );
  return { definition, source };
}

function countExpressions(definition: BlueprintDefinition): number {
  let count = 0;
  for (const { text } of listTextSites(definition)) {
    const template = parseTemplate(text);
    if (template.ok) count += template.parts.filter((part) => "expression" in part).length;
  }
  return count;
}

function readResources(source: Source, issues: BlueprintIssue[]): ResourceDefinition[] {
  const list = isRecord(source.value) ? source.value["resources"] : undefined;
  if (!Array.isArray(list)) return [];
  const resources: ResourceDefinition[] = [];
  for (const [index, value] of list.entries()) {
    const path = ["resources", index];
    if (!isRecord(value)) {
      issues.push(issueAt(source, { code: "INVALID_VALUE", path, message: "Write a mapping with id and type." }));
      continue;
    }
    // Told apart before the shape is read: a union of the two would say of every slip that neither fits.
    const schema = value["type"] === workloadType ? workloadSchema : foreignResourceSchema;
    const result = validate<z.ZodType<ResourceDefinition>>(schema, value, source, path);
    if (result.data === null) issues.push(...result.issues);
    else resources.push(result.data);
  }
  return resources;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The definition as YAML, with every default written out. Reading it again gives an equal definition. */
export function printBlueprint(definition: BlueprintDefinition): string {
  return stringify(definition, { version: "1.2", schema: "core", aliasDuplicateObjects: false, lineWidth: 0 });
}

/** JSON Schema (2020-12) of the definition, for editors: completion and hints while writing. */
export function toJsonSchema(): Record<string, unknown> {
  const schema = z.strictObject({
    ...definitionFields,
    resources: z.array(z.union([workloadSchema, foreignResourceSchema])).default([]),
  });
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}
