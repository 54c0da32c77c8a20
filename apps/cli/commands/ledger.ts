import {
  type BooksFinding,
  checkBooks,
  type LedgerFault,
  listOrganizationsWithLedger,
  toPublicId,
  verifyLedger,
} from "@sewa/core";
import type { Command } from "commander";
import { exitCodes } from "../failure.ts";
import { withCore } from "../operator.ts";
import { type JsonOption, leaf, show } from "../output.ts";

export function addLedgerCommands(program: Command): void {
  const group = program.command("ledger").description("the books");
  leaf(group, "verify", "recompute every chain, balance and invoice, and name what is wrong first").action(verify);
}

interface Verified {
  readonly organizations: number;
  readonly transactions: number;
  /** One for each organization whose books do not hold: the first row of it that is wrong. */
  readonly faults: readonly LedgerFault[];
  readonly findings: readonly BooksFinding[];
}

async function verify(options: JsonOption): Promise<void> {
  const verified = await withCore(async (ctx): Promise<Verified> => {
    const organizationIds = await listOrganizationsWithLedger(ctx);
    let transactions = 0;
    const faults: LedgerFault[] = [];
    for (const id of organizationIds) {
      const looked = await verifyLedger(ctx, id);
      transactions += looked.transactions;
      if (looked.fault !== null) faults.push(looked.fault);
    }
    return { organizations: organizationIds.length, transactions, faults, findings: await checkBooks(ctx) };
  });
  show(options, verified, () => describe(verified));
  if (verified.faults.length + verified.findings.length > 0) process.exitCode = exitCodes.refused;
}

function describe({ organizations, transactions, faults, findings }: Verified): string {
  const looked = `${organizations} organization(s), ${transactions} transaction(s)`;
  if (faults.length + findings.length === 0) return `The books hold: ${looked}.`;
  return [
    ...faults.map(({ organizationId, subject, message }) => {
      return `${toPublicId("organization", organizationId)} ${subject.type} ${subject.id}: ${message}`;
    }),
    ...findings.map(({ check, rows }) => `${check.id} ${check.promise} Not so: ${rows.join(", ")}`),
    `The books do not hold: ${looked}.`,
  ].join("\n");
}
