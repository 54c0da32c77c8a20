import { readdirSync, readFileSync } from "node:fs";
import { parseBlueprint, resolveBlueprint, validateParameters } from "@sewa/blueprint";
import { testSpec } from "../../testing/specs.ts";
import type { InstanceSpec } from "../types.ts";

const folder = new URL("../../../../blueprint/catalog/", import.meta.url);

/** The blueprints that ship, offered or not. */
export const catalogFiles: readonly string[] = readdirSync(folder).filter(
  (name) => name.endsWith(".yaml") && name !== "catalog.yaml",
);

/** An instance of a shipped app on the plan of 1 vCPU and 1 GiB, with made-up secrets. */
export function catalogSpec(file: string, change: Partial<InstanceSpec> = {}): InstanceSpec {
  const blueprint = parseBlueprint(readFileSync(new URL(file, folder), "utf8"));
  const asksForOwner = blueprint.definition.parameters.some(({ name }) => name === "adminEmail");
  const checked = validateParameters(blueprint, asksForOwner ? { adminEmail: "owner@shop.example" } : {});
  if (!checked.ok) throw new Error(`${file} cannot be ordered with an owner alone.`);
  const limits = {
    cpuRequestMillis: 250,
    cpuLimitMillis: 1_000,
    memoryRequestBytes: 512 * 1024 ** 2,
    memoryLimitBytes: 1024 ** 3,
    storageBytes: 8 * 1024 ** 3,
  };
  const { instanceId: id, host } = testSpec(change);
  const instance = { id, name: "shop", host, url: `https://${host}` };
  const app = resolveBlueprint(blueprint, { values: checked.values, limits, instance });
  const secrets = Object.fromEntries(app.secrets.map(({ name }) => [name, "a-generated-value"]));
  return testSpec({ app, limits, secrets, ...change });
}
