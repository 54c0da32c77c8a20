import {
  createTaxRate,
  endTaxRate,
  fromPublicId,
  listTaxRates,
  type TaxRateRow,
  toPercent,
  toPublicId,
} from "@sewa/core";
import type { Command } from "commander";
import { listAll } from "../client.ts";
import { UsageError } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, type Row, show, table, timeOf } from "../output.ts";

/** What is put on invoices that are opened from now on; those that were opened stay as they are. */
export function addTaxCommands(program: Command): void {
  const group = program.command("taxes").description("taxes on invoices");
  leaf(group, "list", "rates, newest first, ended ones too").action(list);
  leaf(group, "create <name> <percent>", "a tax on every invoice that is opened from then on, such as PPN 11")
    .option("--inclusive", "prices contain it already; without this it is added to them")
    .option("--country <code>", "only customers of this country, such as ID")
    .option("--from <time>", "from then on; now without it")
    .action(create);
  leaf(group, "end <id>", "no invoice that is opened from then on has it")
    .option("--at <time>", "at that time; now without it")
    .action(end);
}

async function list(options: JsonOption): Promise<void> {
  const rates = await withCore((ctx) => listAll((page) => listTaxRates(ctx, page)));
  show(options, rates.map(toRow), () => table(rates.map(toRow), "No taxes."));
}

interface CreateOptions extends JsonOption {
  readonly inclusive?: boolean;
  readonly country?: string;
  readonly from?: string;
}

async function create(name: string, percent: string, options: CreateOptions): Promise<void> {
  const { inclusive: isInclusive = false, country, from } = options;
  const startsAt = from === undefined ? undefined : timeOf(from);
  const rate = await withCore((ctx) => createTaxRate(ctx, { name, percent, isInclusive, country, startsAt }));
  show(options, toRow(rate), () => table([toRow(rate)], ""));
}

async function end(id: string, options: JsonOption & { readonly at?: string }): Promise<void> {
  const taxRateId = fromPublicId("taxRate", id);
  if (taxRateId === null) throw new UsageError(`"${id}" is no tax; write it as tax_….`);
  const endsAt = options.at === undefined ? undefined : timeOf(options.at);
  const rate = await withCore((ctx) => endTaxRate(ctx, { taxRateId, endsAt }));
  show(options, toRow(rate), () => table([toRow(rate)], ""));
}

function toRow({ id, name, basisPoints, isInclusive, country, startsAt, endsAt }: TaxRateRow): Row {
  return {
    id: toPublicId("taxRate", id),
    name,
    percent: toPercent(basisPoints),
    inclusive: isInclusive ? "yes" : "no",
    country: country ?? "all",
    from: formatTime(startsAt),
    until: formatTime(endsAt),
  };
}
