import { type ResolvedApp, resolveBlueprint, validateParameters } from "@sewa/blueprint";
import { loadBlueprint } from "../catalog/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { deriveAddress, type InstanceRow } from "./instance.ts";

/** What an app is made of, beside its blueprint's text. */
export type AppFacts = Pick<InstanceRow, "id" | "name" | "host" | "blueprintVersionId" | "parameters" | "limits">;

/** The app with every parameter filled in. What was ordered once stays valid: the blueprint version never changes. */
export async function resolveInstance(tx: Tx, instance: AppFacts): Promise<ResolvedApp> {
  const blueprint = await loadBlueprint(tx, instance.blueprintVersionId);
  const parameters = validateParameters(blueprint, instance.parameters);
  assert(parameters.ok, "stored parameters fit their blueprint version");
  const { id, name, host } = instance;
  const url = deriveAddress(tx.ctx.config, host);
  return resolveBlueprint(blueprint, {
    values: parameters.values,
    limits: instance.limits,
    instance: { id, name, host, url },
  });
}
