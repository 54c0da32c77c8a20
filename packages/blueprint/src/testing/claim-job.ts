import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseBlueprint } from "../parse-blueprint.ts";
import { resolveBlueprint } from "../resolve-blueprint.ts";
import type { ResolvedJob } from "../resolved-app.ts";
import { validateParameters } from "../validate-parameters.ts";
import { instance, planLimits } from "./definitions.ts";

export const owner = { email: "owner@shop.example", user: "admin", password: "aB3aB3aB3aB3aB3aB3aB3aB3" } as const;

const secrets: Readonly<Record<string, string>> = {
  adminEmail: owner.email,
  adminUser: owner.user,
  adminPassword: owner.password,
};

/** The claim of a shipped app for a small instance with that owner. */
export function catalogClaim(file: string): ResolvedJob {
  const blueprint = parseBlueprint(readFileSync(new URL(`../../catalog/${file}`, import.meta.url), "utf8"));
  const checked = validateParameters(blueprint, { adminEmail: owner.email });
  if (!checked.ok) throw new Error(`${file} wants other parameters.`);
  const { claim } = resolveBlueprint(blueprint, { values: checked.values, limits: planLimits, instance });
  if (claim === null) throw new Error(`${file} has no claim.`);
  return claim;
}

/** Runs a claim as its job does, with the environment that it declares and nothing else, once. Its exit code. */
export async function runClaim(claim: ResolvedJob, appUrl: string): Promise<number | null> {
  const [command, ...words] = [...(claim.command ?? []), ...(claim.args ?? [])];
  if (command !== "node") throw new Error(`Only claims in Node run here, not ${String(command)}.`);
  const declared = claim.env.map((entry) => [
    entry.name,
    "secret" in entry ? (secrets[entry.secret] ?? "") : entry.value,
  ]);
  const env = { ...Object.fromEntries(declared), APP_URL: appUrl, CLAIM_SECONDS: "0" };
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  spawn(process.execPath, words, { env, stdio: "ignore" }).once("error", reject).once("exit", resolve);
  return await promise;
}
