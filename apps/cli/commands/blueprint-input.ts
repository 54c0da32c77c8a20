import { readFile } from "node:fs/promises";
import {
  type Blueprint,
  describeParameters,
  type ParameterDescription,
  parseBlueprint,
  parseBytes,
  parseCpu,
  type ParameterValue,
  type ParameterValues,
  type PlanLimits,
} from "@sewa/blueprint";
import { Option } from "commander";
import { Refusal, UsageError } from "../failure.ts";

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw new Refusal(`${file} cannot be read (${code}).`, { cause: error });
  }
}

export async function readBlueprint(file: string): Promise<Blueprint> {
  return parseBlueprint(await readText(file), { filename: file });
}

/** For an option that may be given again and again: `--param name=value`. */
export function collectPair(text: string, earlier: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`"${text}" is not of the form name=value.`);
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

export function parameterOption(): Option {
  return new Option("--param <name=value>", "a parameter; may be given again").argParser(collectPair).default({});
}

export function addonOption(): Option {
  return new Option("--addon <slug=count>", "so many of an add-on; may be given again")
    .argParser(collectPair)
    .default({});
}

export function toCounts(given: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(given).map(([slug, text]) => {
      if (!/^\d{1,4}$/.test(text)) throw new UsageError(`${slug}=${text} is no number of add-ons.`);
      return [slug, Number(text)];
    }),
  );
}

/** The command line knows texts only; numbers and booleans are made where the blueprint declares them. */
export function typedParameters(blueprint: Blueprint, given: Readonly<Record<string, string>>): ParameterValues {
  return toTypes(describeParameters(blueprint), given);
}

export function toTypes(
  parameters: readonly Pick<ParameterDescription, "name" | "type">[],
  given: Readonly<Record<string, string>>,
): ParameterValues {
  const declared = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return Object.fromEntries(Object.entries(given).map(([name, text]) => [name, toType(declared.get(name), text)]));
}

/** What is no number stays a text, so that the blueprint's own check says what is wrong with it. */
function toType(parameter: Pick<ParameterDescription, "type"> | undefined, text: string): ParameterValue {
  if (parameter?.type === "number" || parameter?.type === "integer") {
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  if (parameter?.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** A plan as small apps have it; `--plan` changes parts of it. */
const usualPlan: Readonly<Record<string, string>> = {
  cpuRequest: "250m",
  cpuLimit: "1",
  memoryRequest: "512Mi",
  memoryLimit: "1Gi",
  storage: "4Gi",
};

/** `cpuLimit=2,memoryLimit=2Gi,storage=10Gi`, in Kubernetes' units. */
export function parsePlan(text: string): PlanLimits {
  const pairs = text.split(",").filter((pair) => pair !== "");
  const plan = pairs.reduce((limits, pair) => collectPair(pair, limits), usualPlan);
  const unknown = Object.keys(plan).find((name) => !(name in usualPlan));
  if (unknown !== undefined) {
    throw new UsageError(`A plan has no ${unknown}, only ${Object.keys(usualPlan).join(", ")}.`);
  }
  const amount = (name: string, parse: (quantity: string) => number | null): number => {
    const value = parse(plan[name] ?? "");
    if (value === null) throw new UsageError(`${name}=${plan[name] ?? ""} is no quantity like 500m or 2Gi.`);
    return value;
  };
  return {
    cpuRequestMillis: amount("cpuRequest", parseCpu),
    cpuLimitMillis: amount("cpuLimit", parseCpu),
    memoryRequestBytes: amount("memoryRequest", parseBytes),
    memoryLimitBytes: amount("memoryLimit", parseBytes),
    storageBytes: amount("storage", parseBytes),
  };
}
