import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Line, Sample } from "./sample.ts";

const resultsFile = new URL("results/latest.json", import.meta.url);

/** 1 is the floor; 3 means three times as dear. */
export function costOf({ sample, floor, compareBy }: Line): number {
  return compareBy === "rate" ? floor.perSecond / sample.perSecond : sample.p50Ms / floor.p50Ms;
}

export function printLines(lines: readonly Line[]): void {
  const rows = lines.map((line) => [
    line.name,
    rate(line.sample),
    time(line.sample.p50Ms),
    time(line.sample.p99Ms),
    line.floorName,
    rate(line.floor),
    time(line.floor.p50Ms),
    `${costOf(line) >= 100 ? Math.round(costOf(line)).toLocaleString("en-US") : costOf(line).toFixed(1)}x`,
  ]);
  const head = ["", "per s", "p50 ms", "p99 ms", "floor", "per s", "p50 ms", "cost"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number): boolean => column === 0 || column === 4;
  const write = (row: readonly string[]): void => {
    const cells = row.map((cell, column) =>
      isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(`  ${cells.join("  ").trimEnd()}`);
  };
  console.log(`\n${lines[0]?.group ?? ""}`);
  for (const row of [head, ...rows]) write(row);
}

/** Overwrites the last run's file; returns its path. */
export function writeResults(
  lines: readonly Line[],
  settings: Readonly<Record<string, string>>,
  seconds: number,
): string {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), node: process.version };
  const measured = lines.map((line) => ({ ...line, cost: costOf(line) }));
  const body = { at: new Date().toISOString(), seconds, machine, postgres: settings, lines: measured };
  mkdirSync(new URL(".", resultsFile), { recursive: true });
  writeFileSync(resultsFile, `${JSON.stringify(body, null, 2)}\n`);
  return resultsFile.pathname;
}

function rate({ perSecond }: Sample): string {
  return perSecond >= 100 ? Math.round(perSecond).toLocaleString("en-US") : perSecond.toFixed(1);
}

function time(ms: number): string {
  if (ms < 0.001) return ms.toFixed(6);
  return ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(3);
}
