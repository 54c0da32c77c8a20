import { randomUUID } from "node:crypto";
import {
  adjustWallet,
  type CoreContext,
  fromMajor,
  fromPublicId,
  giveRefund,
  listTransactions,
  type Money,
  toPublicId,
  type TransactionView,
} from "@sewa/core";
import { type Command, Option } from "commander";
import { listAll } from "../client.ts";
import { UsageError } from "../failure.ts";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatMoney, formatTime, type JsonOption, leaf, sheet, show, table } from "../output.ts";

/** Below `sewa admin`: what an operator does with an organization's money. */
export function addAdminTransactionCommands(admin: Command): void {
  const group = admin.command("transactions").description("an organization's books");
  leaf(group, "list <organization>", "moves of money, newest first").action(list);
  withReason(leaf(group, "adjust <organization> <amount>", "put money into the wallet"))
    .option("--take", "or take it out")
    .action(adjust);
  withReason(leaf(group, "refund <organization> <payment> <amount>", "give back a part or all of a payment, pay_…"))
    .addOption(new Option("--to <where>", "where it goes").choices(["origin", "wallet"]).default("origin"))
    .action(refund);
}

interface ReasonOptions extends JsonOption {
  readonly reason: string;
  readonly key?: string;
}

function withReason(command: Command): Command {
  return command
    .requiredOption("--reason <reason>", "why: for the audit, and for the customer")
    .option("--key <key>", "the same key again does it once only");
}

async function list(organization: string, options: JsonOption): Promise<void> {
  const id = organizationIdOf(organization);
  const transactions = await withCore((ctx) => listAll((page) => listTransactions(ctx.forOrganization(id), page)));
  const rows = transactions.map((view) => ({
    "#": view.transaction.sequence,
    kind: view.transaction.kind,
    amount: formatMoney(view),
    from: view.credit,
    to: view.debit,
    about: toPublicId(view.transaction.sourceType, view.transaction.sourceId),
    at: formatTime(view.transaction.postedAt),
  }));
  show(options, transactions, () => table(rows, "No money has moved."));
}

async function adjust(
  organization: string,
  amount: string,
  options: ReasonOptions & { readonly take?: boolean },
): Promise<void> {
  const id = organizationIdOf(organization);
  const done = await withCore((ctx) => {
    const { amountMinor, currency } = amountOf(ctx, amount);
    const signed = options.take === true ? -amountMinor : amountMinor;
    return adjustWallet(ctx.forOrganization(id), { amountMinor: signed, currency, ...intentionOf(options) });
  });
  show(options, done, () => describe(done));
}

async function refund(
  organization: string,
  payment: string,
  amount: string,
  options: ReasonOptions & { readonly to: "origin" | "wallet" },
): Promise<void> {
  const id = organizationIdOf(organization);
  const paymentId = fromPublicId("payment", payment);
  if (paymentId === null) throw new UsageError(`"${payment}" is no payment; write it as pay_….`);
  const done = await withCore((ctx) =>
    giveRefund(ctx.forOrganization(id), {
      paymentId,
      target: options.to,
      ...amountOf(ctx, amount),
      ...intentionOf(options),
    }),
  );
  show(options, done, () => describe(done));
}

function intentionOf({ reason, key }: ReasonOptions): { readonly reason: string; readonly idempotencyKey: string } {
  return { reason, idempotencyKey: key ?? randomUUID() };
}

/** In the house's currency, as people write it. */
function amountOf({ config }: CoreContext, text: string): Money {
  return fromMajor(text, config.currency);
}

function describe(view: TransactionView): string {
  const { transaction, credit, debit } = view;
  return sheet({
    transaction: toPublicId("transaction", transaction.id),
    kind: transaction.kind,
    amount: formatMoney(view),
    from: credit,
    to: debit,
  });
}
