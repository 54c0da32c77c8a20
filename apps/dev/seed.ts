import { readdirSync, readFileSync } from "node:fs";
import {
  acceptOperatorInvite,
  applyCatalog,
  type CoreContext,
  coreConfigShape,
  createContext,
  DomainError,
  inviteOperator,
  logIn,
  mintMailLink,
  register,
  systemClock,
  toCoreConfig,
  uuidV7Ids,
  verifyEmail,
} from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { z } from "zod";
import type { Parts } from "./parts.ts";

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);

export const seededPassword = "sewa-development";
export const seededCustomer = "customer@sewa.localhost";
export const seededOperator = "operator@sewa.localhost";

/** Does something with core as the command line does: directly on the database, as the system. */
export async function withCore<T>(
  parts: Pick<Parts, "databaseUrl" | "env">,
  work: (ctx: CoreContext) => Promise<T>,
): Promise<T> {
  await using db = connectDatabase({ url: parts.databaseUrl, role: "sewa_worker", max: 2 });
  const env = z.object(coreConfigShape).parse(parts.env);
  const dependencies = {
    db,
    clock: systemClock,
    ids: uuidV7Ids(systemClock),
    keyring: env.SECRETS_KEYRING,
    config: toCoreConfig(env),
    observer: { event: () => undefined },
  };
  return await work(createContext(dependencies, { actor: { type: "system", name: "cli" } }));
}

/** The catalog that ships with the blueprints. Applying it again changes nothing. */
export async function applyShippedCatalog(ctx: CoreContext): Promise<void> {
  const read = (name: string): string => readFileSync(new URL(name, catalogFolder), "utf8");
  const blueprints = readdirSync(catalogFolder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  await applyCatalog(ctx, {
    catalog: read("catalog.yaml"),
    blueprints: Object.fromEntries(blueprints.map((name) => [name, read(name)])),
  });
}

/** One customer and one operator who can log in at once. Those that are there already stay as they are. */
export async function seedAccounts(ctx: CoreContext): Promise<void> {
  if (!(await canLogIn(ctx, seededCustomer))) {
    await register(ctx, { email: seededCustomer, password: seededPassword, name: "Budi", locale: "en" });
    const userId = await userIdOf(ctx, seededCustomer);
    await verifyEmail(ctx, { token: tokenIn(await mintMailLink(ctx, { kind: "verify_email", userId })) });
  }
  if (!(await canLogIn(ctx, seededOperator))) {
    const { url } = await inviteOperator(ctx, { email: seededOperator, name: "Sari" });
    await acceptOperatorInvite(ctx, { token: tokenIn(url), password: seededPassword });
  }
}

async function canLogIn(ctx: CoreContext, email: string): Promise<boolean> {
  try {
    await logIn(ctx, { email, password: seededPassword, ip: "127.0.0.1" });
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

async function userIdOf(ctx: CoreContext, email: string): Promise<string> {
  const [row] = await ctx.db.drizzle.execute(`select id from users where email = '${email}'`);
  return String(row?.["id"]);
}

function tokenIn(link: string): string {
  return new URL(link).searchParams.get("token") ?? "";
}
