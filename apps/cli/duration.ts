import { UsageError } from "./failure.ts";

const minuteMs = 60_000;
const unitMs = {
  minute: minuteMs,
  hour: 60 * minuteMs,
  day: 24 * 60 * minuteMs,
  week: 7 * 24 * 60 * minuteMs,
} as const;

/**
 * `from` and so much later: "31 days", "13 months", "90m", "1 year". Months and years are those of the calendar, in UTC;
 * the 31st of a month that has none is its last day. Throws UsageError.
 */
export function addDuration(from: Date, text: string): Date {
  const [, digits, unit = ""] = /^\s*(\d{1,5})\s*([a-z]+?)s?\s*$/i.exec(text) ?? [];
  const count = Number(digits);
  switch (unit.toLowerCase()) {
    case "m":
    case "min":
    case "minute":
      return new Date(from.getTime() + count * unitMs.minute);
    case "h":
    case "hour":
      return new Date(from.getTime() + count * unitMs.hour);
    case "d":
    case "day":
      return new Date(from.getTime() + count * unitMs.day);
    case "w":
    case "week":
      return new Date(from.getTime() + count * unitMs.week);
    case "month":
      return addMonths(from, count);
    case "y":
    case "year":
      return addMonths(from, 12 * count);
    default:
      throw new UsageError(`"${text}" is no duration like "31 days" or "13 months".`);
  }
}

function addMonths(from: Date, count: number): Date {
  const moved = new Date(from);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() + count);
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return moved;
}
