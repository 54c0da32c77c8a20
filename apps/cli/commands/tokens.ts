import { randomUUID } from "node:crypto";
import type { RouterInputs } from "@sewa/api";
import { tokenLivesDays, type TokenScope, tokenScopeNames, tokenScopes } from "@sewa/core";
import { type Command, Option } from "commander";
import { listAll, withApi } from "../client.ts";
import { formatTime, type JsonOption, leaf, say, show, table } from "../output.ts";

/** For programs that call the api: SEWA_TOKEN takes what `create` prints. */
export function addTokenCommands(program: Command): void {
  const tokens = program.command("tokens").description("API tokens, for programs that call in your name");
  leaf(tokens, "create <name>", "make one; it is shown this one time")
    .addOption(new Option("--scope <scope...>", "what it is for").choices(tokenScopeNames).makeOptionMandatory())
    .addOption(
      new Option("--days <days>", "for how long; never is for owners")
        .choices([...tokenLivesDays.map(String), "never"])
        .makeOptionMandatory(),
    )
    .option("--from <network...>", "only from there, as 192.0.2.0/24; from everywhere unless told")
    .addHelpText("after", `\nScopes:\n${describeScopes()}`)
    .action(create);
  leaf(tokens, "list", "yours, or the organization's if you are an admin, newest first").action(list);
  leaf(tokens, "revoke <token>", "end one at once; takes its id, tok_…").action(revoke);
}

const describeScopes = (): string =>
  tokenScopeNames.map((scope) => `  ${scope.padEnd(14)}${tokenScopes[scope]}`).join("\n");

interface CreateOptions extends JsonOption {
  readonly scope: readonly TokenScope[];
  readonly days: `${(typeof tokenLivesDays)[number]}` | "never";
  readonly from?: readonly string[];
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const input: RouterInputs["tokens"]["create"] = {
    name,
    scopes: options.scope,
    expiresInDays: tokenLivesDays.find((days) => String(days) === options.days) ?? null,
    allowedNetworks: options.from,
    idempotencyKey: randomUUID(),
  };
  const made = await withApi(({ api }) => api.tokens.create.mutate(input));
  if (options.json !== true) {
    say(
      `${made.id} lives until ${made.expiresAt === null ? "it is revoked" : formatTime(made.expiresAt)}. Keep it now:`,
    );
  }
  show(options, made, () => made.token);
}

async function list(options: JsonOption): Promise<void> {
  const items = await withApi(({ api }) => listAll((page) => api.tokens.list.query(page)));
  const rows = items.map((token) => ({
    id: token.id,
    name: token.name,
    begins: token.hint,
    by: token.userName,
    scopes: token.scopes.join(" "),
    from: token.allowedNetworks.join(" "),
    status: token.status,
    until: token.expiresAt === null ? "never" : formatTime(token.expiresAt),
    used: formatTime(token.lastUsedAt),
    address: token.lastUsedAddress,
  }));
  show(options, items, () => table(rows, "There are no tokens."));
}

async function revoke(tokenId: string, options: JsonOption): Promise<void> {
  const token = await withApi(({ api }) => api.tokens.revoke.mutate({ tokenId }));
  show(options, token, () => `${token.name} (${token.id}) is ${token.status}.`);
}
