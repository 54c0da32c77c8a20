import { type Row, toJson } from "./output.ts";

/** What a spreadsheet would take for a formula and run. */
const formulaStart = /^[=+\-@\t\r]/;
const plainNumber = /^-?\d+(\.\d+)?$/;

/**
 * RFC 4180: a line of names, then a line for each row, ended by CR and LF. Names come from customers, so a text that would be a formula
 * gets an apostrophe before it; numbers stay numbers.
 */
export function toCsv(columns: readonly string[], rows: readonly Row[]): string {
  const lines = [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(value: unknown): string {
  const text = textOf(value);
  if (formulaStart.test(text) && !plainNumber.test(text)) return quote(`'${text}`);
  return /[",\r\n]/.test(text) ? quote(text) : text;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" ? value : toJson(value);
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
