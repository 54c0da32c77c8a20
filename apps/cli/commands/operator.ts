import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError, applyCatalog, getUserId, inviteOperator, suspendUser, unsuspendUser } from "@sewa/core";
import { migrate } from "@sewa/db";
import type { Command } from "commander";
import { readDatabaseEnv } from "../env.ts";
import { Refusal } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatTime, leaf, say, show, table, type JsonOption } from "../output.ts";
import { addAdminTransactionCommands } from "./admin-transactions.ts";
import { readText } from "./blueprint-input.ts";
import { addForceCommands } from "./force.ts";
import { addShelfCommands } from "./catalog-shelf.ts";
import { pinFiles } from "./catalog-pin.ts";

/** What makes a new house work: its database, its first operator, its catalog. */
export function addOperatorCommands(program: Command): void {
  const database = program.command("db").description("the database");
  leaf(database, "migrate", "bring the database up to date").action(migrateDatabase);
  const admin = program.command("admin").description("who runs the house");
  leaf(admin, "create <email>", "invite an operator: prints a link that works once")
    .option("--name <name>", "the operator's name")
    .action(createOperator);
  leaf(admin, "suspend <email>", "keep a user out, and end their sessions; what they rent runs on")
    .requiredOption("--reason <text>", "why: for the audit")
    .action(suspend);
  leaf(admin, "unsuspend <email>", "let a user log in again")
    .requiredOption("--reason <text>", "why: for the audit")
    .action(unsuspend);
  addForceCommands(admin);
  addAdminTransactionCommands(admin);
  const catalog = program.command("catalog").description("what is sold");
  leaf(catalog, "apply <folder>", "make the catalog what the files of a folder say, and show what changes")
    .option("--dry-run", "show only")
    .action(applyFolder);
  addShelfCommands(catalog);
  leaf(catalog, "pin <files...>", "write the digests of images into blueprint files, where a registry answers")
    .option("--dry-run", "show only")
    .action(pinFiles);
}

async function migrateDatabase(options: JsonOption): Promise<void> {
  const { DATABASE_URL: url } = readDatabaseEnv();
  const { applied } = await migrate({ url, log: say });
  show(options, { applied }, () =>
    applied.length === 0 ? "The database is up to date." : `${applied.length} migration(s) applied.`,
  );
}

async function createOperator(email: string, options: JsonOption & { readonly name?: string }): Promise<void> {
  const invite = await withCore((ctx, env) => {
    if (env.PORTAL_URL === undefined) throw new ConfigurationError(["PORTAL_URL: has to be set."]);
    return inviteOperator(ctx, { email, name: options.name });
  });
  show(options, invite, () =>
    [
      `Whoever opens this link first becomes an operator as ${email}; it works once, until ${formatTime(invite.expiresAt)}.`,
      invite.url,
    ].join("\n"),
  );
}

interface ReasonOption extends JsonOption {
  readonly reason: string;
}

async function suspend(email: string, { reason, ...options }: ReasonOption): Promise<void> {
  const suspension = await withCore(async (ctx) => suspendUser(ctx, { userId: await getUserId(ctx, email), reason }));
  show(options, suspension, () => `${email} is suspended and logged out everywhere.`);
}

async function unsuspend(email: string, { reason, ...options }: ReasonOption): Promise<void> {
  const suspension = await withCore(async (ctx) => unsuspendUser(ctx, { userId: await getUserId(ctx, email), reason }));
  show(options, suspension, () => `${email} may log in again.`);
}

async function applyFolder(folder: string, options: JsonOption & { readonly dryRun?: boolean }): Promise<void> {
  const files = await readCatalog(folder);
  const isDryRun = options.dryRun === true;
  const changes = await withCore((ctx) => applyCatalog(ctx, files, { dryRun: isDryRun }));
  show(options, { dryRun: isDryRun, changes }, () => {
    if (changes.length === 0) return "Nothing changes: the catalog is what the files say.";
    const done = isDryRun ? "would be made" : "made";
    return `${table(
      changes.map(({ action, subject, detail }) => ({ action, subject, detail })),
      "",
    )}\n${changes.length} change(s) ${done}.`;
  });
}

const catalogFile = "catalog.yaml";

async function readCatalog(folder: string): Promise<{ catalog: string; blueprints: Record<string, string> }> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Refusal(`${folder} cannot be read.`, { cause: error });
  });
  if (!names.includes(catalogFile)) throw new Refusal(`${folder} holds no ${catalogFile}.`);
  const blueprints: Record<string, string> = {};
  for (const name of names) {
    if (name !== catalogFile && /\.(ya?ml|json)$/.test(name)) blueprints[name] = await readText(join(folder, name));
  }
  return { catalog: await readText(join(folder, catalogFile)), blueprints };
}
