import fc from "fast-check";
import type { z } from "zod";
import {
  type Definition,
  textRules,
  beyond,
  lengthsOf,
  isWhole,
  definitionOf,
  required,
  neededOf,
  refusedKeys,
} from "./test-schema-rules.ts";
import { fieldsOf, type Known, valuesOf } from "./test-schema-values.ts";

/** A value that breaks one rule of its schema, and which one. */
export interface Broken {
  readonly how: string;
  readonly value: unknown;
}

/** Values that break exactly one rule that the definition states, somewhere in them. */
export function brokenOf(schema: z.core.$ZodType, known: Known = {}): fc.Arbitrary<Broken> {
  const ways = [...wrongTypes(schema), ...brokenInside(schema, known)];
  return fc.oneof(...ways);
}

/** One of each type that values travel with. Nested deeper than anything of the contract, but not than the wire takes. */
const samples: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  boolean: true,
  number: 1.5,
  bigint: 1n,
  string: "text",
  date: new Date(0),
  array: Array.from({ length: 30 }).reduce<unknown>((nested) => [nested], "deep"),
  object: { "\0": "x" },
  map: new Map([["a", 1]]),
};

function wrongTypes(schema: z.core.$ZodType): readonly fc.Arbitrary<Broken>[] {
  const taken = typesOf(schema);
  const wrong = Object.entries(samples).filter(([type]) => !taken.has(type));
  return [fc.constantFrom(...wrong).map(([type, value]) => ({ how: `type ${type}`, value }))];
}

function typesOf(schema: z.core.$ZodType): ReadonlySet<string> {
  const { type, innerType, options = [], in: first, shape = {} } = definitionOf(schema);
  switch (type) {
    case "optional":
      return new Set(["undefined", ...typesOf(required(innerType))]);
    case "nullable":
      return new Set(["null", ...typesOf(required(innerType))]);
    case "readonly":
      return typesOf(required(innerType));
    case "pipe":
      return typesOf(required(first));
    case "union":
      return new Set(options.flatMap((option) => [...typesOf(option)]));
    case "enum":
    case "literal":
      return new Set(["string"]);
    case "record":
      return new Set(["object"]);
    case "object":
      // For zod a date or a map is an object without keys, which is enough where none is needed.
      return new Set(neededOf(shape).length > 0 ? ["object"] : ["object", "date", "map"]);
    default:
      return new Set([type]);
  }
}

function brokenInside(schema: z.core.$ZodType, known: Known): readonly fc.Arbitrary<Broken>[] {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "optional":
    case "nullable":
    case "readonly":
      return brokenInside(required(definition.innerType), known);
    case "string":
    case "pipe":
      return constants(brokenTexts(schema));
    case "number":
      return constants([
        ...beyond(definition, 1).map((value) => ({ how: "range", value: Number(value) })),
        ...[Number.NaN, Number.POSITIVE_INFINITY].map((value) => ({ how: "not finite", value })),
        ...(isWhole(definition) ? [0.5, 2 ** 53, 1e308].map((value) => ({ how: "no safe integer", value })) : []),
      ]);
    case "bigint":
      return constants(beyond(definition, 1n).map((value) => ({ how: "range", value })));
    case "date":
      return constants([
        { how: "no date", value: new Date(Number.NaN) },
        ...beyond(definition, 1).map((value) => ({ how: "range", value: new Date(Number(value)) })),
      ]);
    case "enum":
    case "literal":
      return constants(["", "no such word", "__proto__", "constructor"].map((value) => ({ how: "word", value })));
    case "array":
      return brokenArrays(definition, known);
    case "record":
      return brokenRecords(definition, known);
    case "object":
      return brokenObjects(definition, known);
    case "union":
      // Where one field says which option it is, what is broken in that one is not right in another.
      return definition.discriminator === undefined
        ? []
        : required(definition.options).flatMap((option) => brokenInside(option, known));
    default:
      return [];
  }
}

function brokenTexts(schema: z.core.$ZodType): readonly Broken[] {
  const { min, max, patterns, isDate, isRefined } = textRules(schema);
  const odd = ["\0", "\ud800", "a b\n", "a".repeat(4_000)];
  return [
    ...(max < Number.POSITIVE_INFINITY ? [{ how: "too long", value: "a".repeat(2 * max + 1) }] : []),
    ...(min > 0 ? [{ how: "too short", value: "" }] : []),
    ...(isDate ? ["", "2026-02-30", "2026-1-1"].map((value) => ({ how: "no day", value })) : []),
    ...(isRefined ? ["\0", "a\0b", "\ud800"] : []).map((value) => ({ how: "no text", value })),
    ...odd.filter((value) => patterns.some((each) => !each.test(value))).map((value) => ({ how: "pattern", value })),
  ];
}

function brokenArrays(definition: Definition, known: Known): readonly fc.Arbitrary<Broken>[] {
  const element = required(definition.element);
  const { minLength, maxLength } = lengthsOf(definition);
  const one = valuesOf(element, known);
  const tooLong = fc.array(one, { minLength: maxLength + 1, maxLength: maxLength + 1, size: "max" });
  return [
    brokenOf(element, known).map(({ how, value }) => ({ how: `element: ${how}`, value: [value] })),
    tooLong.map((value) => ({ how: "too many", value })),
    ...(minLength > 0 ? [fc.constant({ how: "too few", value: [] })] : []),
  ];
}

function brokenRecords(definition: Definition, known: Known): readonly fc.Arbitrary<Broken>[] {
  const [key, value] = [required(definition.keyType), required(definition.valueType)];
  const keys = (valuesOf(key, known) as fc.Arbitrary<string>).filter((name) => !refusedKeys.has(name));
  const badKeys = brokenTexts(key).map((broken) =>
    valuesOf(value, known).map((item) => ({ how: `key: ${broken.how}`, value: { [broken.value as string]: item } })),
  );
  const badItems = fc
    .tuple(keys, brokenOf(value, known))
    // A field that is not there is no broken one.
    .map(([name, broken]) => ({ how: `item: ${broken.how}`, value: { [name]: broken.value } }));
  return [badItems, ...badKeys];
}

function brokenObjects(definition: Definition, known: Known): readonly fc.Arbitrary<Broken>[] {
  const { shape = {} } = definition;
  const right = fieldsOf(definition, known);
  const extra = fc
    .constantFrom("organizationId", "isOperator", "toString", "\0")
    .filter((name) => !Object.hasOwn(shape, name));
  return [
    ...Object.entries(shape).map(([name, schema]) =>
      fc
        .tuple(right, brokenOf(schema, known))
        .map(([value, broken]) => ({ how: `${name}: ${broken.how}`, value: { ...value, [name]: broken.value } })),
    ),
    ...neededOf(shape).map((name) =>
      right.map((value) => ({ how: `${name} is missing`, value: without(value, name) })),
    ),
    fc.tuple(right, extra).map(([value, name]) => ({ how: `key ${name}`, value: { ...value, [name]: "admin" } })),
  ];
}

function without(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
}

function constants(broken: readonly Broken[]): readonly fc.Arbitrary<Broken>[] {
  return broken.length === 0 ? [] : [fc.constantFrom(...broken)];
}
