import type { z } from "zod";

/** What a definition of zod says of itself, of whichever kind it is. */
export interface Definition {
  readonly type: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly check?: string;
  readonly format?: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly keyType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly discriminator?: string;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
}

interface Check {
  readonly check: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
  readonly value?: number | bigint | Date;
  readonly inclusive?: boolean;
  readonly pattern?: RegExp;
}

export function neededOf(shape: Readonly<Record<string, z.core.$ZodType>>): string[] {
  return Object.keys(shape).filter((name) => shape[name]?._zod.optin !== "optional");
}

interface TextRules {
  readonly min: number;
  readonly max: number;
  readonly patterns: readonly RegExp[];
  readonly isDate: boolean;
  /** Every refinement of a text is one of what characters it may have. */
  readonly isRefined: boolean;
}

/** Of all stages that a text goes through: the last one has the longest word in how short, and the first in how long. */
export function textRules(schema: z.core.$ZodType): TextRules {
  const definition = definitionOf(schema);
  if (definition.type === "pipe") {
    const stages = [required(definition.in), required(definition.out)].map(textRules);
    const limits = stages.map(({ max }) => max).filter((max) => max < Number.POSITIVE_INFINITY);
    return {
      min: Math.max(...stages.map(({ min }) => min)),
      max: limits.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...limits),
      patterns: stages.flatMap(({ patterns }) => patterns),
      isDate: stages.some(({ isDate }) => isDate),
      isRefined: stages.some(({ isRefined }) => isRefined),
    };
  }
  const checks = checksOf(definition);
  const length = checks.find(({ length: exact }) => exact !== undefined)?.length;
  return {
    min: length ?? Math.max(0, ...checks.map(({ minimum = 0 }) => minimum)),
    max: length ?? Math.min(...checks.map(({ maximum = Number.POSITIVE_INFINITY }) => maximum)),
    patterns: checks.flatMap(({ pattern }) => pattern ?? []),
    isDate: definition.format === "date",
    isRefined: checks.some(({ check }) => check === "custom"),
  };
}

export function limitsOf(definition: Definition): {
  readonly min: bigint | number | null;
  readonly max: bigint | number | null;
} {
  const valueOf = (name: string): bigint | number | null => {
    const found = checksOf(definition).find(({ check }) => check === name);
    if (found?.value === undefined) return null;
    const value = found.value instanceof Date ? found.value.getTime() : found.value;
    return found.inclusive === false ? nextTo(value, name === "greater_than") : value;
  };
  return { min: valueOf("greater_than"), max: valueOf("less_than") };
}

function nextTo(value: bigint | number, isAbove: boolean): bigint | number {
  if (typeof value === "bigint") return isAbove ? value + 1n : value - 1n;
  return isAbove ? value + 1 : value - 1;
}

/** Just outside of the limits. */
export function beyond(definition: Definition, step: bigint | number): readonly (bigint | number)[] {
  const { min, max } = limitsOf(definition);
  const outside: (bigint | number)[] = [];
  if (min !== null) outside.push(typeof step === "bigint" ? BigInt(min) - step : Number(min) - step);
  if (max !== null) outside.push(typeof step === "bigint" ? BigInt(max) + step : Number(max) + step);
  return outside;
}

export function lengthsOf(definition: Definition): { readonly minLength: number; readonly maxLength: number } {
  const checks = checksOf(definition);
  const max = checks.find(({ check }) => check === "max_length")?.maximum;
  if (max === undefined) throw new Error("A list of a contract has a greatest length.");
  return { minLength: checks.find(({ check }) => check === "min_length")?.minimum ?? 0, maxLength: max };
}

export function isWhole(definition: Definition): boolean {
  return definition.format === "safeint" || checksOf(definition).some(({ format }) => format === "safeint");
}

export function hasRefinement(schema: z.core.$ZodType): boolean {
  return checksOf(definitionOf(schema)).some(({ check }) => check === "custom");
}

export function accepts(schema: z.core.$ZodType, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success;
}

export function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

function checksOf({ checks = [] }: Definition): readonly Check[] {
  return checks.map((check) => check._zod.def);
}

export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The definition lacks what its kind has.");
  return value;
}

/** Names that the wire itself refuses, in both directions. */
export const refusedKeys = new Set(["__proto__", "constructor", "prototype"]);
