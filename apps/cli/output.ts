import { type Money, toMajor } from "@sewa/core";
import type { Command } from "commander";
import { UsageError } from "./failure.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What every command can be asked for. */
export interface JsonOption {
  readonly json?: boolean;
}

/** A command that does something, as opposed to one that groups others. Each can answer in JSON. */
export function leaf(parent: Command, nameAndArguments: string, description: string): Command {
  return parent.command(nameAndArguments).description(description).option("--json", "answer in JSON");
}

/** `data` whole as JSON when asked for, else what `human` makes of it. */
export function show(options: JsonOption, data: unknown, human: () => string): void {
  const text = options.json === true ? toJson(data) : human();
  if (text !== "") process.stdout.write(`${text}\n`);
}

/** Amounts are strings of minor units: JSON's numbers would lose some. */
export function toJson(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value), 2);
}

/** Columns of equal width under their names. `empty` is said instead of a table without rows. */
export function table(rows: readonly Row[], empty: string): string {
  const [first] = rows;
  if (first === undefined) return empty;
  const columns = Object.keys(first);
  const lines = [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((column) => cell(row[column]))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `name  value` lines, for one thing. */
export function sheet(row: Row): string {
  const width = Math.max(...Object.keys(row).map((name) => name.length));
  return Object.entries(row)
    .map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}`.trimEnd())
    .join("\n");
}

export function formatMoney(money: Money): string {
  return `${toMajor(money)} ${money.currency}`;
}

export function formatTime(time: Date | null): string {
  return time === null ? "" : time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** What was typed as a time. */
export function timeOf(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    throw new UsageError(`"${text}" is no time; write it as 2026-03-01 or 2026-03-01T00:00:00Z.`);
  }
  return time;
}

/** Names come from customers: what would move the cursor of an operator's terminal is shown as a question mark. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = value instanceof Date ? formatTime(value) : typeof value === "string" ? value : toJson(value);
  return text.replaceAll(/\p{Cc}/gu, "?");
}

/** For progress, so that standard output holds nothing but the answer. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
