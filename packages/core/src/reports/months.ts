import { DomainError } from "../errors.ts";
import { dayPeriod, localDay, type Period } from "../periods.ts";

/** Both as `2026-03`, on the calendar of the house; both belong to it. */
export interface MonthsInput {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const monthsUnlessTold = 12;
export const maxMonths = 36;

/** From the first moment of the first month to the first one after the last; without a word, the last twelve months. */
export function periodOfMonths({ from, to }: MonthsInput, now: Date, timeZone: string): Period {
  const last = to === undefined ? numberOf(localDay(now, timeZone).slice(0, 7), "to") : numberOf(to, "to");
  const first = from === undefined ? last - monthsUnlessTold + 1 : numberOf(from, "from");
  if (last < first) throw refused("to", "The last month is before the first.");
  if (last - first >= maxMonths) throw refused("from", `At most ${maxMonths} months at once.`);
  return { start: beginOf(first, timeZone), end: beginOf(last + 1, timeZone) };
}

function numberOf(month: string, path: "from" | "to"): number {
  const match = /^(20\d\d)-(0[1-9]|1[0-2])$/.exec(month);
  if (match === null) throw refused(path, "Write a month as 2026-03.");
  return Number(match[1]) * 12 + Number(match[2]) - 1;
}

function beginOf(month: number, timeZone: string): Date {
  const text = `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}-01`;
  return dayPeriod(text, timeZone).start;
}

function refused(path: "from" | "to", message: string): DomainError {
  return new DomainError("INVALID_INPUT", message, { issues: [{ path, message }] });
}
