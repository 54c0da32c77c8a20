import type { InstanceMetricsDto, InstanceUptimeDto, MetricRangeDto } from "@sewa/api";
import { type Command, InvalidArgumentError, Option } from "commander";
import { withApi } from "../client.ts";
import { formatTime, leaf, show, table, type JsonOption } from "../output.ts";
import { sparkline } from "../sparkline.ts";

const ranges = ["24h", "7d", "30d"] as const satisfies readonly MetricRangeDto[];
const chartColumns = 72;

/** What was measured of an app: how much it uses, and whether it answers. */
export function addMeasureCommands(group: Command): void {
  leaf(group, "metrics <id>", "processor, memory and storage that the app uses")
    .addOption(new Option("--range <range>", "how far back").choices(ranges).default("24h"))
    .action(metrics);
  leaf(group, "uptime <id>", "how long the app answered, day by day")
    .option("--days <number>", "how far back, 90 at most", parseDays, 30)
    .action(uptime);
}

async function metrics(instanceId: string, options: JsonOption & { readonly range: MetricRangeDto }): Promise<void> {
  const { range } = options;
  const answer = await withApi(({ api }) => api.instances.metrics.query({ instanceId, range }));
  show(options, answer, () => describeMetrics(answer));
}

async function uptime(instanceId: string, options: JsonOption & { readonly days: number }): Promise<void> {
  const { days } = options;
  const answer = await withApi(({ api }) => api.instances.uptime.query({ instanceId, days }));
  show(options, answer, () => describeUptime(answer));
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 90) throw new InvalidArgumentError("Give 1 to 90.");
  return days;
}

/** For people. Charts reach from nothing to the plan's limit; a dot is a time in which nothing was measured. */
export function describeMetrics({ from, to, points, limits }: InstanceMetricsDto): string {
  const row = (
    name: string,
    values: readonly (number | null)[],
    highest: readonly (number | null)[],
    limit: number,
    format: (amount: number) => string,
  ) => {
    const measured = values.filter((value) => value !== null);
    const average = measured.reduce((sum, value) => sum + value, 0) / measured.length;
    const most = Math.max(...highest.filter((value) => value !== null));
    return {
      measure: name,
      chart: sparkline(values, limit, chartColumns),
      average: measured.length === 0 ? "-" : format(average),
      most: measured.length === 0 ? "-" : format(most),
      limit: format(limit),
    };
  };
  const storage = points.map(({ storageBytes }) => storageBytes);
  const rows = [
    row(
      "cpu",
      points.map(({ cpu }) => cpu?.averageMillis ?? null),
      points.map(({ cpu }) => cpu?.maxMillis ?? null),
      limits.cpuMillis,
      (millis) => `${Math.round(millis)}m`,
    ),
    row(
      "memory",
      points.map(({ memory }) => memory?.averageBytes ?? null),
      points.map(({ memory }) => memory?.maxBytes ?? null),
      limits.memoryBytes,
      formatBytes,
    ),
    row("storage", storage, storage, limits.storageBytes, formatBytes),
  ];
  return `${table(rows, "")}\n\nfrom ${formatTime(from)} to ${formatTime(to)}`;
}

/** For people. */
export function describeUptime({ days, ratio, targetRatio, isWithinTarget, timeZone }: InstanceUptimeDto): string {
  const rows = days.map(({ day, upSeconds, downSeconds, unknownSeconds, ratio: share }) => ({
    day,
    up: formatMinutes(upSeconds),
    down: formatMinutes(downSeconds),
    "not probed": formatMinutes(unknownSeconds),
    uptime: formatRatio(share),
  }));
  const verdict = isWithinTarget === null ? "" : isWithinTarget ? ", reached" : ", missed";
  return `${table(rows, "")}\n\n${formatRatio(ratio)} in all, target ${formatRatio(targetRatio)}${verdict}; days of ${timeZone}`;
}

function formatBytes(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1024 ? `${Math.round(mebibytes)}Mi` : `${(mebibytes / 1024).toFixed(1)}Gi`;
}

function formatMinutes(seconds: number): string {
  return seconds === 0 ? "" : `${Math.round(seconds / 60)} min`;
}

/** Cut and not rounded: what missed the target by little must not look as if it had reached it. */
function formatRatio(ratio: number | null): string {
  return ratio === null ? "-" : `${(Math.floor(ratio * 100_000) / 1_000).toFixed(3)} %`;
}
