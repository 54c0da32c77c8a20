import type { InstanceMetricsDto, UptimeDayDto } from "@sewa/api";
import { expect, test } from "vitest";
import { describeMetrics, describeUptime } from "./instance-measures.ts";

const mebibyte = 1024 ** 2;

test("usage is drawn against the plan's limits, with average, highest value and gaps", () => {
  const from = new Date("2026-03-02T00:00:00Z");
  const point = (minute: number, cpu: InstanceMetricsDto["points"][number]["cpu"]) => ({
    start: new Date(from.getTime() + minute * 60_000),
    cpu,
    memory: cpu === null ? null : { averageBytes: 256 * mebibyte, maxBytes: 300 * mebibyte },
    storageBytes: 1536 * mebibyte,
  });
  const text = describeMetrics({
    range: "24h",
    stepSeconds: 300,
    from,
    to: new Date("2026-03-02T00:15:00Z"),
    limits: { cpuMillis: 500, memoryBytes: 512 * mebibyte, storageBytes: 2048 * mebibyte },
    points: [
      point(0, { averageMillis: 100, maxMillis: 450 }),
      point(5, null),
      point(10, { averageMillis: 300, maxMillis: 310 }),
    ],
  });
  expect(text.split("\n")).toEqual([
    "MEASURE  CHART  AVERAGE  MOST   LIMIT",
    "cpu      ▂·▅    200m     450m   500m",
    "memory   ▄·▄    256Mi    300Mi  512Mi",
    "storage  ▆▆▆    1.5Gi    1.5Gi  2.0Gi",
    "",
    "from 2026-03-02T00:00:00Z to 2026-03-02T00:15:00Z",
  ]);
});

test("a share of time just below the target does not look like it", () => {
  const day: UptimeDayDto = {
    day: "2026-03-02",
    upSeconds: 85_920,
    downSeconds: 480,
    unknownSeconds: 0,
    ratio: 0.994_999_9,
  };
  const never: UptimeDayDto = { day: "2026-03-01", upSeconds: 0, downSeconds: 0, unknownSeconds: 86_400, ratio: null };
  const text = describeUptime({
    timeZone: "Asia/Jakarta",
    days: [never, day],
    ratio: day.ratio,
    targetRatio: 0.995,
    isWithinTarget: false,
  });
  expect(text.split("\n")).toEqual([
    "DAY         UP        DOWN   NOT PROBED  UPTIME",
    "2026-03-01                   1440 min    -",
    "2026-03-02  1432 min  8 min              99.499 %",
    "",
    "99.499 % in all, target 99.500 %, missed; days of Asia/Jakarta",
  ]);
});
