import { readdirSync, readFileSync } from "node:fs";
import {
  acceptOperatorInvite,
  applyCatalog,
  type CoreContext,
  coreConfigShape,
  createContext,
  inviteOperator,
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

/** The catalog that ships with the blueprints, or what `edit` makes of its text. Applying it again changes nothing. */
export async function applyShippedCatalog(ctx: CoreContext, edit = (text: string): string => text): Promise<void> {
  const read = (name: string): string => readFileSync(new URL(name, catalogFolder), "utf8");
  const blueprints = readdirSync(catalogFolder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  await applyCatalog(ctx, {
    catalog: edit(read("catalog.yaml")),
    blueprints: Object.fromEntries(blueprints.map((name) => [name, read(name)])),
  });
}

/** One customer and one operator who can log in at once. Those that are there already stay as they are, password included. */
export async function seedAccounts(ctx: CoreContext): Promise<void> {
  if ((await findUser(ctx, seededCustomer)) === null) {
    await register(ctx, { email: seededCustomer, password: seededPassword, name: "Budi", locale: "en" });
  }
  const customer = await findUser(ctx, seededCustomer);
  if (customer !== null && !customer.isVerified) {
    await verifyEmail(ctx, { token: tokenIn(await mintMailLink(ctx, { kind: "verify_email", userId: customer.id })) });
  }
  if ((await findUser(ctx, seededOperator)) === null) {
    const { url } = await inviteOperator(ctx, { email: seededOperator, name: "Sari" });
    await acceptOperatorInvite(ctx, { token: tokenIn(url), password: seededPassword });
  }
}

/** Asked of the table and not by logging in, which is counted and refused after a few wrong passwords. */
async function findUser(
  ctx: CoreContext,
  email: string,
): Promise<{ readonly id: string; readonly isVerified: boolean } | null> {
  const [row] = await ctx.db.drizzle.execute(`select id, email_verified_at from users where email = '${email}'`);
  return row === undefined ? null : { id: String(row["id"]), isVerified: row["email_verified_at"] !== null };
}

function tokenIn(link: string): string {
  return new URL(link).searchParams.get("token") ?? "";
}
