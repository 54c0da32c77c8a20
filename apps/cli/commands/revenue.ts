import { writeFile } from "node:fs/promises";
import {
  type CoreContext,
  getRecurringRevenue,
  listChurn,
  listMargins,
  listReceivables,
  listUpcomingInvoices,
  type Receivable,
  summariseRevenue,
  toPublicId,
} from "@sewa/core";
import type { Command } from "commander";
import { toCsv } from "../csv.ts";
import { Refusal } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatMoney, type JsonOption, leaf, type Row, say, show, table, timeOf } from "../output.ts";

interface ReportOptions extends JsonOption {
  readonly csv?: string;
  readonly from?: string;
  readonly to?: string;
  readonly until?: string;
}

/** Rows of a report: with their amounts in minor units for machines, as people read them for people. */
interface Report {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly empty: string;
}

/** What the house earns. Reads only. */
export function addRevenueCommands(program: Command): void {
  const group = program.command("revenue").description("what the house earns, and what it is about to ask for");
  months(report(group, "summary", "what the ledger booked, by month and currency", summary));
  report(group, "mrr", "what subscriptions bring in a month, and what changed it", mrr)
    .requiredOption("--from <time>", "since when, as 2026-03-01 or 2026-03-01T00:00:00Z")
    .option("--to <time>", "until when; now without it");
  months(report(group, "churn", "paid apps whose service stopped, by month and reason", churn));
  report(group, "receivables", "open invoices, the oldest first", receivables);
  report(group, "margin", "what each app brings in a month, and what its room costs", margin);
  report(group, "upcoming", "what would be billed and collected until tomorrow; nothing is", upcoming).option(
    "--until <time>",
    "until then instead, 31 days ahead at most",
  );
}

function months(command: Command): Command {
  return command
    .option("--from <month>", "the first, as 2026-03; without it the last twelve are shown")
    .option("--to <month>", "the last");
}

function report(
  group: Command,
  name: string,
  description: string,
  read: (ctx: CoreContext, options: ReportOptions) => Promise<Report>,
): Command {
  return leaf(group, name, description)
    .option("--csv <file>", "write it there as CSV, amounts in minor units")
    .action(async (options: ReportOptions) => {
      const { columns, rows, empty } = await withCore((ctx) => read(ctx, options));
      if (options.csv !== undefined) await write(options.csv, toCsv(columns, rows));
      if (options.csv === undefined || options.json === true)
        show(options, rows, () => table(rows.map(toPeople), empty));
      else say(`${rows.length} row(s) written to ${options.csv}.`);
    });
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new Refusal(`${file} cannot be written.`, { cause: error });
  });
}

/** `chargedMinor` becomes `charged`, with its currency. */
function toPeople(row: Row): Row {
  const currency = String(row["currency"]);
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) => {
      if (name === "currency") return [];
      if (typeof value === "bigint")
        return [[name.replace(/Minor$/, ""), formatMoney({ amountMinor: value, currency })]];
      return [[name, value]];
    }),
  );
}

async function summary(ctx: CoreContext, { from, to }: ReportOptions): Promise<Report> {
  return {
    columns: [
      "month",
      "currency",
      "chargedMinor",
      "voidedMinor",
      "refundedMinor",
      "revenueMinor",
      "badDebtMinor",
      "goodwillMinor",
      "receivedMinor",
      "aheadMinor",
    ],
    rows: toRows(await summariseRevenue(ctx, { from, to })),
    empty: "Nothing was booked in these months.",
  };
}

async function mrr(ctx: CoreContext, { from, to }: ReportOptions): Promise<Report> {
  return {
    columns: [
      "currency",
      "startMinor",
      "newMinor",
      "returnedMinor",
      "expansionMinor",
      "contractionMinor",
      "churnedMinor",
      "endMinor",
      "subscriptions",
    ],
    rows: toRows(
      await getRecurringRevenue(ctx, { from: timeOf(from ?? ""), to: to === undefined ? undefined : timeOf(to) }),
    ),
    empty: "No subscription brings anything.",
  };
}

async function churn(ctx: CoreContext, { from, to }: ReportOptions): Promise<Report> {
  return {
    columns: ["month", "currency", "reason", "subscriptions", "amountMinor"],
    rows: toRows(await listChurn(ctx, { from, to })),
    empty: "Nothing was lost in these months.",
  };
}

async function receivables(ctx: CoreContext): Promise<Report> {
  const items = await readAll<Receivable>((page) => listReceivables(ctx, page));
  return {
    columns: [
      "invoiceId",
      "organizationId",
      "number",
      "currency",
      "amountMinor",
      "openedAt",
      "dueAt",
      "ageDays",
      "bucket",
    ],
    rows: items.map(({ invoiceId, organizationId, ...rest }) => ({
      invoiceId: toPublicId("invoice", invoiceId),
      organizationId: toPublicId("organization", organizationId),
      ...rest,
    })),
    empty: "No invoice waits for money.",
  };
}

async function margin(ctx: CoreContext): Promise<Report> {
  const items = await readAll((page) => listMargins(ctx, page));
  return {
    columns: ["instanceId", "subscriptionId", "organizationId", "currency", "broughtMinor", "costMinor", "marginMinor"],
    rows: items.map((each) => ({
      instanceId: toPublicId("instance", each.instanceId),
      ...ownersOf(each),
      ...amountsOf(each),
    })),
    empty: "No app brings money or holds room.",
  };
}

async function upcoming(ctx: CoreContext, { until }: ReportOptions): Promise<Report> {
  const end = until === undefined ? {} : { until: timeOf(until) };
  const items = await readAll((page) => listUpcomingInvoices(ctx, { ...page, ...end }));
  return {
    columns: [
      "subscriptionId",
      "organizationId",
      "number",
      "opensAt",
      "dueAt",
      "periodEnd",
      "collectsAt",
      "currency",
      "amountMinor",
      "fromWalletMinor",
      "fromCardMinor",
    ],
    rows: toRows(items.map((each) => ({ ...each, ...ownersOf(each) }))),
    empty: "Nothing would be billed or collected.",
  };
}

function ownersOf(ids: { readonly subscriptionId: string; readonly organizationId: string }): Row {
  return {
    subscriptionId: toPublicId("subscription", ids.subscriptionId),
    organizationId: toPublicId("organization", ids.organizationId),
  };
}

function amountsOf(each: {
  readonly currency: string;
  readonly broughtMinor: bigint;
  readonly costMinor: bigint | null;
  readonly marginMinor: bigint | null;
}): Row {
  const { currency, broughtMinor, costMinor, marginMinor } = each;
  return { currency, broughtMinor, costMinor, marginMinor };
}

/** An interface has no index signature; its copy has. */
function toRows(items: readonly object[]): readonly Row[] {
  return items.map((item) => ({ ...item }));
}

/** A report leaves nothing out, however long it becomes. */
async function readAll<T>(
  list: (page: {
    readonly cursor?: string;
    readonly limit: number;
  }) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | null }>,
): Promise<readonly T[]> {
  const items: T[] = [];
  for (let cursor: string | null = null; ;) {
    const page: { readonly items: readonly T[]; readonly nextCursor: string | null } = await list({
      limit: 100,
      ...(cursor === null ? {} : { cursor }),
    });
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
}
