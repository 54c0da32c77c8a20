import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { listAll, withApi } from "../client.ts";
import { Refusal } from "../failure.ts";
import { formatMoney, formatTime, type JsonOption, leaf, say, show, table } from "../output.ts";

export function addInvoiceCommands(program: Command): void {
  const group = program.command("invoices").description("what the organization was asked for");
  leaf(group, "list", "invoices, newest first").action(list);
  leaf(group, "download <id>", "an invoice as it is printed, in your language")
    .requiredOption("--out <file>", "where to write it")
    .option("--credit-note <number>", "one of its credit notes instead")
    .addOption(new Option("--format <format>", "of the file").choices(["html", "pdf"]).default("pdf"))
    .action(download);
}

async function list(options: JsonOption): Promise<void> {
  const invoices = await withApi(({ api }) => listAll((page) => api.invoices.list.query(page)));
  const rows = invoices.map(({ id, number, status, reason, total, paid, dueAt }) => ({
    id,
    number: number ?? "",
    status,
    reason,
    total: formatMoney(total),
    paid: formatMoney(paid),
    due: formatTime(dueAt),
  }));
  show(options, invoices, () => table(rows, "No invoices."));
}

interface DownloadOptions extends JsonOption {
  readonly out: string;
  readonly format: "html" | "pdf";
  readonly creditNote?: string;
}

async function download(invoiceId: string, options: DownloadOptions): Promise<void> {
  const { out, format, creditNote: creditNoteNumber } = options;
  const { fileName, contentType, base64 } = await withApi(({ api }) =>
    api.invoices.document.query({ invoiceId, format, creditNoteNumber }),
  );
  const content = Buffer.from(base64, "base64");
  await writeFile(out, content).catch((error: unknown) => {
    throw new Refusal(`${out} cannot be written.`, { cause: error });
  });
  if (options.json === true) show(options, { fileName, contentType, bytes: content.length, file: out }, () => "");
  else say(`${fileName}, ${content.length} bytes, written to ${out}.`);
}
