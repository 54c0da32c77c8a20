import type { Finding } from "./finding.ts";
import { directParameter } from "../expression/direct-parameter.ts";
import { isWorkload } from "../schema/workload.ts";
import type { BlueprintDefinition, PriceDefinition } from "../schema/definition.ts";
import type { ParameterDefinition } from "../schema/parameter.ts";

/** Whatever a customer can choose where it decides the price has a price, and every mapping knows what it maps. */
export function checkPrices(definition: BlueprintDefinition): Finding[] {
  return [...unpricedValues(definition), ...unmappedValues(definition)];
}

function unpricedValues(definition: BlueprintDefinition): Finding[] {
  const targets = Map.groupBy(
    definition.prices.filter((price) => price.target !== undefined),
    (price) => price.target,
  );
  return [...targets].flatMap(([target, prices]) => {
    const index = definition.parameters.findIndex(({ name }) => name === directParameter(target ?? ""));
    const parameter = definition.parameters[index];
    if (parameter === undefined || prices.some(matchesMore)) return [];
    const priced = new Set(prices.map(({ test }) => String(test)));
    return choices(parameter)
      .map((choice, at) => ({ choice, at }))
      .filter(({ choice }) => !priced.has(choice))
      .map(({ choice, at }): Finding => {
        const path = [
          "parameters",
          index,
          ...(parameter.allowedValues === undefined ? [] : ["allowedValues", at, "value"]),
        ];
        const message = `${parameter.name} may be ${choice}, for which no price matches.`;
        return { code: "UNPRICED_VALUE", level: "tolerable", path, message };
      });
  });
}

/** A price without a test takes any value; a test in `${…}` may. Neither can be compared with a list of values. */
function matchesMore({ test }: PriceDefinition): boolean {
  return test === undefined || (typeof test === "string" && test.includes("${"));
}

function choices(parameter: ParameterDefinition): string[] {
  if (parameter.allowedValues !== undefined) return parameter.allowedValues.map(({ value }) => String(value));
  return parameter.type === "boolean" ? ["true", "false"] : [];
}

function unmappedValues(definition: BlueprintDefinition): Finding[] {
  return definition.resources.flatMap((resource, index) =>
    // What a foreign driver does with a value outside the map is that driver's affair.
    !isWorkload(resource)
      ? []
      : Object.entries(resource.mappings).flatMap(([name, { value, map }]) => {
          const parameter = definition.parameters.find((declared) => declared.name === directParameter(value));
          if (parameter === undefined) return [];
          return choices(parameter)
            .filter((choice) => !Object.hasOwn(map, choice))
            .map((choice): Finding => {
              const message = `${parameter.name} may be ${choice}, which is not mapped.`;
              return {
                code: "UNMAPPED_VALUE",
                level: "tolerable",
                path: ["resources", index, "mappings", name],
                message,
              };
            });
        }),
  );
}
