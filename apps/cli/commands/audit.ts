import {
  type AuditFault,
  type AuditRow,
  forgetPerson,
  fromPublicId,
  listChains,
  searchAudit,
  toPublicId,
  verifyAudit,
} from "@sewa/core";
import type { Command } from "commander";
import { exitCodes, UsageError } from "../failure.ts";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, type Row, show, table } from "../output.ts";

/** Who did what, and whether anybody has touched the record of it. */
export function addAuditCommands(program: Command): void {
  const group = program.command("audit").description("who did what");
  leaf(group, "verify", "recompute the chains of the audit and name the first row that is wrong")
    .option("--organization <id>", "of one organization (org_…) instead of all and the house")
    .action(verify);
  leaf(group, "list", "what was done, newest first")
    .option("--organization <id>", "in one organization (org_…)")
    .option("--user <id>", "by a customer or operator (usr_…)")
    .option("--action <action>", "of one kind, such as user.loggedIn")
    .action(list);
  leaf(
    group,
    "forget <user>",
    "erase from where a person (usr_…) acted and what is written about them; who, what and when stays",
  )
    .requiredOption("--reason <text>", "who asked for it, for the audit")
    .action(forget);
}

interface Verified {
  readonly chains: number;
  readonly entries: number;
  /** One for each chain that does not hold. */
  readonly faults: readonly AuditFault[];
}

async function verify(options: JsonOption & { readonly organization?: string }): Promise<void> {
  const verified = await withCore(async (ctx): Promise<Verified> => {
    const one = options.organization;
    const owners = one === undefined ? await listChains(ctx) : [organizationIdOf(one)];
    const faults: AuditFault[] = [];
    let entries = 0;
    for (const owner of owners) {
      const looked = await verifyAudit(ctx, owner);
      entries += looked.entries;
      if (looked.fault !== null) faults.push(looked.fault);
    }
    return { chains: owners.length, entries, faults };
  });
  show(options, verified, () => describe(verified));
  if (verified.faults.length > 0) process.exitCode = exitCodes.refused;
}

function describe({ chains, entries, faults }: Verified): string {
  const looked = `${chains} chain(s), ${entries} entries`;
  if (faults.length === 0) return `The audit holds: ${looked}.`;
  return [
    ...faults.map(
      ({ organizationId, subject, message }) =>
        `${ownerName(organizationId)} ${subject.type} ${subject.id}: ${message}`,
    ),
    `The audit does not hold: ${looked}.`,
  ].join("\n");
}

interface ListOptions extends JsonOption {
  readonly organization?: string;
  readonly user?: string;
  readonly action?: string;
}

/** Of both, because the same person may be a customer and an operator. */
async function list({ organization, user, action, ...options }: ListOptions): Promise<void> {
  const organizationId = organization === undefined ? undefined : organizationIdOf(organization);
  const userId = user === undefined ? null : userIdOf(user);
  const actors = userId === null ? [undefined] : [`user:${userId}`, `operator:${userId}`];
  const found = await withCore(async (ctx) => {
    const pages = await Promise.all(
      actors.map((actor) => searchAudit(ctx, { organizationId, actor, action, limit: 100 })),
    );
    return pages.flatMap(({ items }) => items).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  });
  show(options, found, () => table(found.map(toRow), "Nothing."));
}

async function forget(user: string, options: JsonOption & { readonly reason: string }): Promise<void> {
  const userId = userIdOf(user);
  const { entries } = await withCore((ctx) => forgetPerson(ctx, { userId, reason: options.reason }));
  show(options, { user, entries }, () => `Erased from ${entries} entries.`);
}

function toRow({ recordedAt, organizationId, action, actor, subjectType, subjectId, ...row }: AuditRow): Row {
  return {
    at: formatTime(recordedAt),
    organization: ownerName(organizationId),
    actor,
    action,
    subject: subjectType === null ? "" : `${subjectType} ${subjectId ?? ""}`,
    from: row.clientAddress,
    request: row.requestId,
    reason: row.reason,
  };
}

function ownerName(organizationId: string | null): string {
  return organizationId === null ? "the house" : toPublicId("organization", organizationId);
}

function userIdOf(text: string): string {
  const id = fromPublicId("user", text);
  if (id === null) throw new UsageError(`"${text}" is no person; write it as usr_….`);
  return id;
}
