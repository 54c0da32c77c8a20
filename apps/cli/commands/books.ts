import {
  type BooksFindingView,
  type BooksOutcome,
  type CoreContext,
  listBooksFindings,
  runBooksCheck,
  toPublicId,
  unpark,
} from "@sewa/core";
import type { Command } from "commander";
import { exitCodes, Refusal } from "../failure.ts";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, type Row, show, table } from "../output.ts";

/** Whether money adds up, and whose does not. Ends with a code of its own while anything is found. */
export function addBooksCommands(program: Command): void {
  const group = program.command("books").description("whether money adds up, and who is parked because it does not");
  leaf(group, "check", "ask the books now, and park whose are wrong")
    .option("--all", "of everybody; without it, where something has happened since they were last asked")
    .action(check);
  leaf(group, "findings", "what is wrong or late, newest first")
    .option("--resolved", "what no longer is")
    .action(findings);
  leaf(group, "unpark", "let money of an organization move again, once its books are right")
    .argument("<organization>", "org_…")
    .requiredOption("--reason <text>", "what was wrong and what was done about it, for the audit")
    .action(unparkOne);
}

async function check(options: JsonOption & { readonly all?: boolean }): Promise<void> {
  const { looks, open } = await withCore(async (ctx) => {
    const looked = await lookUntilComplete(ctx, options.all === true ? "whole" : "recent");
    return { looks: looked, open: await listAll(ctx, "open") };
  });
  const organizations = looks.reduce((sum, { run }) => sum + run.organizations, 0);
  const parked = looks.flatMap((look) =>
    look.parked.map(({ organizationId }) => toPublicId("organization", organizationId)),
  );
  show(options, { organizations, parked, findings: open.map(toRow) }, () =>
    [
      `${organizations} organization(s) asked about.`,
      ...parked.map((id) => `${id} is parked from now on.`),
      describe(open),
    ].join("\n"),
  );
  if (open.length > 0) process.exitCode = exitCodes.findings;
}

async function lookUntilComplete(ctx: CoreContext, mode: "recent" | "whole"): Promise<readonly BooksOutcome[]> {
  const looks: BooksOutcome[] = [];
  for (;;) {
    const look = await runBooksCheck(ctx, { mode });
    if (look === null) throw new Refusal("Somebody else is asking the books. Try again.");
    looks.push(look);
    if (look.isComplete) return looks;
  }
}

async function findings(options: JsonOption & { readonly resolved?: boolean }): Promise<void> {
  const isResolved = options.resolved === true;
  const found = await withCore((ctx) => listAll(ctx, isResolved ? "resolved" : "open"));
  show(options, found.map(toRow), () => (isResolved ? table(found.map(toRow), "Nothing yet.") : describe(found)));
  if (!isResolved && found.length > 0) process.exitCode = exitCodes.findings;
}

async function unparkOne(organization: string, options: JsonOption & { readonly reason: string }): Promise<void> {
  const organizationId = organizationIdOf(organization);
  const { unparkedAt } = await withCore((ctx) => unpark(ctx, { organizationId, reason: options.reason }));
  show(options, { organization, unparkedAt }, () =>
    unparkedAt === null
      ? `${organization} was never parked.`
      : `${organization} is not parked. What is due is caught up.`,
  );
}

/** More than this is not read by a person. */
const maxPages = 20;

async function listAll(ctx: CoreContext, status: "open" | "resolved"): Promise<readonly BooksFindingView[]> {
  const found: BooksFindingView[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const input: Parameters<typeof listBooksFindings>[1] = {
      status,
      limit: 100,
      ...(cursor === null ? {} : { cursor }),
    };
    const answer = await listBooksFindings(ctx, input);
    found.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return found;
}

function describe(found: readonly BooksFindingView[]): string {
  return found.length === 0 ? "The books hold." : table(found.map(toRow), "");
}

/** Ids as customers, logs and the api show them. */
function toRow({ checkId, kind, rowId, organizationId, parkedAt, firstSeenAt, resolvedAt }: BooksFindingView): Row {
  return {
    check: checkId,
    kind,
    row: rowId,
    organization: organizationId === null ? "the house" : toPublicId("organization", organizationId),
    parked: formatTime(parkedAt),
    "first seen": formatTime(firstSeenAt),
    resolved: formatTime(resolvedAt),
  };
}
