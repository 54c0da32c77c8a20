import { appendFile, writeFile } from "node:fs/promises";
import type { DeletionPreviewDto } from "@sewa/api";
import { deleteAccount, getUserId, previewDeletion, toPublicId } from "@sewa/core";
import type { Command } from "commander";
import { withApi } from "../client.ts";
import { confirming } from "../confirming.ts";
import { Refusal } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, show } from "../output.ts";

/** What somebody may ask about themselves. */
export function addPrivacyCommands(program: Command): void {
  program
    .command("export")
    .description("all that is kept about you and your organizations, as lines of JSON")
    .option("--output <file>", "a new file to write to, instead of standard output")
    .action(exportAll);
  const account = program.command("account").description("your account");
  leaf(account, "preview-deletion", "what would go with it, what would stay, and what stands in the way").action(
    preview,
  );
  leaf(account, "delete <email>", "delete it for good: type its address").action(deleteOwn);
}

/** The same for operators. */
export function addUserCommands(program: Command): void {
  const users = program.command("users").description("people");
  leaf(users, "preview-deletion <email>", "what stands in the way of a deletion").action(previewOf);
  leaf(users, "delete <email>", "delete an account for good")
    .requiredOption("--reason <text>", "why: for the audit")
    .action(deleteUser);
}

async function exportAll({ output }: { readonly output?: string }): Promise<void> {
  if (output !== undefined) await refuseUnwritable(output, writeFile(output, "", { flag: "wx", mode: 0o600 }));
  await withApi(async (session) => {
    let cursor: string | undefined;
    do {
      // Each by itself: whoever is asked in the middle goes on there.
      const page = await confirming(session, ({ api }) => api.account.export.mutate({ limit: 100, cursor }));
      const lines = page.items.map((record) => `${JSON.stringify(record)}\n`).join("");
      if (output === undefined) process.stdout.write(lines);
      else await refuseUnwritable(output, appendFile(output, lines));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  });
}

async function refuseUnwritable(file: string, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw new Refusal(`${file} cannot be written.`, { cause: error });
  });
}

async function preview(options: JsonOption): Promise<void> {
  const found = await withApi(({ api }) => api.account.previewDeletion.query());
  show(options, found, () => describe(found));
}

function describe({ obstacles, organizations, kept }: DeletionPreviewDto): string {
  return [
    ...obstacles.map(({ message }) => `In the way: ${message}`),
    ...organizations.flatMap(({ name, becomes, endingApps, obstacles: own }) => [
      `${name} is ${becomes}${endingApps > 0 ? `; ${endingApps} app(s) end by themselves` : ""}.`,
      ...own.map(({ message }) => `  In the way: ${message}`),
    ]),
    `Kept: ${kept.map(({ what, why }) => `${what} (${why.replace("_", " ")})`).join(", ")}.`,
  ].join("\n");
}

async function deleteOwn(email: string, options: JsonOption): Promise<void> {
  const deletion = await withApi((session) =>
    confirming(session, async ({ api, apiUrl, tokens }) => {
      const done = await api.account.delete.mutate({ confirmEmail: email });
      await tokens.forget(apiUrl);
      return done;
    }),
  );
  show(options, deletion, () => `Your account was deleted at ${formatTime(deletion.deletedAt)}.`);
}

async function previewOf(email: string, options: JsonOption): Promise<void> {
  const found = await withCore(async (ctx) => previewDeletion(ctx, await getUserId(ctx, email)));
  const organizations = found.organizations.map(({ organizationId, ...rest }) => ({
    id: toPublicId("organization", organizationId),
    ...rest,
  }));
  show(options, { ...found, organizations }, () =>
    [
      ...found.obstacles,
      ...organizations.map(
        ({ id, name, becomes, obstacles }) =>
          `${id} (${name}) is ${becomes}${obstacles.map((code) => `, ${code}`).join("")}`,
      ),
    ].join("\n"),
  );
}

async function deleteUser(
  email: string,
  { reason, ...options }: JsonOption & { readonly reason: string },
): Promise<void> {
  const { userId, deletedAt } = await withCore(async (ctx) =>
    deleteAccount(ctx, { userId: await getUserId(ctx, email), reason }),
  );
  show(options, { userId: toPublicId("user", userId), deletedAt }, () => `The account of ${email} is deleted.`);
}
