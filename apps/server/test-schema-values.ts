import fc from "fast-check";
import type { z } from "zod";
import { hostileTexts } from "./test-hostile-values.ts";
import {
  type Definition,
  textRules,
  limitsOf,
  lengthsOf,
  isWhole,
  hasRefinement,
  accepts,
  definitionOf,
  required,
  neededOf,
  refusedKeys,
} from "./test-schema-rules.ts";

/** Values of fields by their names that lead further in than random ones: ids of things that are there, and the like. */
export type Known = Readonly<Record<string, unknown>>;

const maxCharacters = 80;

/** Values that the schema has to accept, made from its definition. */
export function valuesOf(schema: z.core.$ZodType, known: Known = {}, field = ""): fc.Arbitrary<unknown> {
  const made = shapedValues(schema, known, field);
  // What a refinement says stands in code, which only the schema itself can read.
  const right = hasRefinement(schema) ? made.filter((value) => accepts(schema, value)) : made;
  return field in known && accepts(schema, known[field])
    ? fc.oneof({ arbitrary: fc.constant(known[field]), weight: 3 }, { arbitrary: right, weight: 1 })
    : right;
}

function shapedValues(schema: z.core.$ZodType, known: Known, field: string): fc.Arbitrary<unknown> {
  const definition = definitionOf(schema);
  const inner = (of: z.core.$ZodType | undefined): fc.Arbitrary<unknown> => valuesOf(required(of), known, field);
  switch (definition.type) {
    case "undefined":
      return fc.constant(undefined);
    case "boolean":
      return fc.boolean();
    case "string":
    case "pipe":
      return texts(schema, known[field]);
    case "number": {
      const { min, max } = limitsOf(definition);
      return isWhole(definition)
        ? fc.integer({ min: Number(min ?? -1e9), max: Number(max ?? 1e9) })
        : fc.double({ noNaN: true, noDefaultInfinity: true });
    }
    case "bigint": {
      const { min, max } = limitsOf(definition);
      return fc.bigInt({ ...(min !== null && { min: BigInt(min) }), max: BigInt(max ?? 10n ** 20n) });
    }
    case "date": {
      const { min, max } = limitsOf(definition);
      const bounds = {
        ...(min !== null && { min: new Date(Number(min)) }),
        ...(max !== null && { max: new Date(Number(max)) }),
      };
      return fc.date({ ...bounds, noInvalidDate: true });
    }
    case "enum":
      return fc.constantFrom(...Object.values(required(definition.entries)));
    case "literal":
      return fc.constantFrom(...required(definition.values));
    case "optional":
      return fc.option(inner(definition.innerType), { nil: undefined });
    case "nullable":
      return fc.option(inner(definition.innerType), { nil: null });
    case "readonly":
      return inner(definition.innerType);
    case "array":
      return fc.array(inner(definition.element), lengthsOf(definition));
    case "union":
      return fc.oneof(...required(definition.options).map((option) => inner(option)));
    case "record": {
      const keys = (inner(definition.keyType) as fc.Arbitrary<string>).filter((key) => !refusedKeys.has(key));
      return fc.dictionary(keys, inner(definition.valueType), { maxKeys: 3, noNullPrototype: true });
    }
    case "object":
      return fieldsOf(definition, known);
    default:
      throw new Error(`Nothing is known here of a schema of the kind ${definition.type}.`);
  }
}

export function fieldsOf({ shape = {} }: Definition, known: Known): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(shape).map(([name, schema]) => [name, valuesOf(schema, known, name)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: neededOf(shape), noNullPrototype: true });
}

function texts(schema: z.core.$ZodType, known: unknown): fc.Arbitrary<string> {
  const { min, max, patterns, isDate } = textRules(schema);
  const lengths = { minLength: min, maxLength: Math.max(min, Math.min(max, maxCharacters)) };
  const [pattern] = patterns;
  const free =
    pattern === undefined
      ? fc.oneof(fc.string({ ...lengths, unit: "grapheme" }), fc.string({ ...lengths, unit: "binary" }))
      : fc.stringMatching(pattern, { size: "small" });
  const day = fc.date({ min: new Date("1990-01-01"), max: new Date("2210-01-01"), noInvalidDate: true });
  const special = [...hostileTexts, "a".repeat(Math.min(max, 2_000)), "a".repeat(min), known]
    .filter((value) => typeof value === "string")
    .filter((value) => accepts(schema, value));
  const made = isDate ? day.map((at) => at.toISOString().slice(0, 10)) : free;
  const fitting = made.filter((value) => accepts(schema, value));
  return special.length === 0 ? fitting : fc.oneof(fc.constantFrom(...special), fitting);
}
