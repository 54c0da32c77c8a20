import type { SecretDeclaration } from "@sewa/blueprint";
import { instanceSecrets } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { organizationOf, type Tx } from "../context.ts";
import { assert, unreachable } from "../errors.ts";
import { randomText } from "../ids.ts";
import { openSecret, sealSecret } from "../keys/index.ts";

const charsets = {
  alphanumeric: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  hex: "0123456789abcdef",
  // Without characters that are mistaken for one another or need escaping somewhere.
  password: "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_.",
} as const;

const storedSecrets = z.record(z.string(), z.string());

/** Made once, before anything is applied: a second try must find the values that the first one may have used. */
export async function createSecrets(
  tx: Tx,
  instanceId: string,
  declarations: readonly SecretDeclaration[],
): Promise<void> {
  const values = Object.fromEntries(declarations.map((declaration) => [declaration.name, generate(declaration)]));
  const closed = await sealSecret(tx, placeOf(instanceId), JSON.stringify(values));
  await tx.sql.insert(instanceSecrets).values({ instanceId, organizationId: organizationOf(tx), ...closed });
}

/** Secrets that were declared later get their values now; those that are there keep theirs. */
export async function addMissingSecrets(
  tx: Tx,
  instanceId: string,
  declarations: readonly SecretDeclaration[],
): Promise<void> {
  const known = await openSecrets(tx, instanceId);
  const missing = declarations.filter(({ name }) => !Object.hasOwn(known, name));
  if (missing.length === 0) return;
  const added = Object.fromEntries(missing.map((declaration) => [declaration.name, generate(declaration)]));
  const closed = await sealSecret(tx, placeOf(instanceId), JSON.stringify({ ...known, ...added }));
  await tx.sql
    .update(instanceSecrets)
    .set(closed)
    .where(and(eq(instanceSecrets.organizationId, organizationOf(tx)), eq(instanceSecrets.instanceId, instanceId)));
}

export async function openSecrets(tx: Tx, instanceId: string): Promise<Readonly<Record<string, string>>> {
  const [row] = await tx.sql
    .select({ keyId: instanceSecrets.keyId, sealed: instanceSecrets.sealed })
    .from(instanceSecrets)
    .where(and(eq(instanceSecrets.organizationId, organizationOf(tx)), eq(instanceSecrets.instanceId, instanceId)));
  assert(row !== undefined, "an instance has its secrets from the first moment");
  return storedSecrets.parse(JSON.parse(await openSecret(tx, placeOf(instanceId), row)));
}

/** Apps refuse passwords without a digit, a small or a capital letter; such a one is drawn again, if it is long enough to try. */
function randomSecret(length: number, charset: keyof typeof charsets): string {
  const isMixed = (text: string): boolean => /[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text);
  let text = randomText(length, charsets[charset]);
  while (charset !== "hex" && length >= 8 && !isMixed(text)) text = randomText(length, charsets[charset]);
  return text;
}

function placeOf(instanceId: string): Parameters<typeof sealSecret>[1] {
  return { table: "instance_secrets", id: instanceId };
}

function generate({ generate: rule }: SecretDeclaration): string {
  switch (rule.type) {
    case "literal":
      return rule.value;
    case "random":
      return randomSecret(rule.length, rule.charset);
    default:
      return unreachable(rule);
  }
}
