import { Temporal } from "temporal-polyfill";

export type Interval = "P30D" | "P1M";

export interface Period {
  readonly start: Date;
  /** Half-open: the first moment that is no longer in it. */
  readonly end: Date;
}

/**
 * Period `index` of a term. Always counted from the anchor, never from the previous end: a month that is cut short
 * (31 January to 28 February) would otherwise stay short for ever.
 */
export function periodAt(anchor: Date, interval: Interval, timeZone: string, index: number): Period {
  return { start: boundary(anchor, interval, timeZone, index), end: boundary(anchor, interval, timeZone, index + 1) };
}

/** Whole days on the wall clock of the time zone, so a reminder stays at its hour over a change of summer time. */
export function addDays(date: Date, days: number, timeZone: string): Date {
  return fromZoned(toZoned(date, timeZone).add({ days }));
}

/** Next moment after `date` at which clocks in the time zone show `hour`:00. */
export function nextLocalHour(date: Date, hour: number, timeZone: string): Date {
  const local = toZoned(date, timeZone);
  const today = local.startOfDay().with({ hour });
  const next =
    Temporal.ZonedDateTime.compare(today, local) > 0 ? today : local.startOfDay().add({ days: 1 }).with({ hour });
  return fromZoned(next);
}

export function localHour(date: Date, timeZone: string): number {
  return toZoned(date, timeZone).hour;
}

/** The day on the wall clock of the time zone, as `2026-03-02`. */
export function localDay(date: Date, timeZone: string): string {
  return toZoned(date, timeZone).toPlainDate().toString();
}

/** From one midnight of the time zone to the next: 23 or 25 hours where clocks are changed. */
export function dayPeriod(day: string, timeZone: string): Period {
  const start = Temporal.PlainDate.from(day).toZonedDateTime({ timeZone });
  return { start: fromZoned(start), end: fromZoned(start.add({ days: 1 }).startOfDay()) };
}

export function isTimeZone(name: string): boolean {
  try {
    toZoned(new Date(0), name);
    return true;
  } catch {
    return false;
  }
}

/** An hour that comes twice means its second time, and one that never comes the hour after: as PostgreSQL counts too. */
function boundary(anchor: Date, interval: Interval, timeZone: string, count: number): Date {
  if (count === 0) return anchor;
  const step = interval === "P1M" ? { months: count } : { days: 30 * count };
  const local = toZoned(anchor, timeZone).toPlainDateTime().add(step);
  return fromZoned(local.toZonedDateTime(timeZone, { disambiguation: "later" }));
}

function toZoned(date: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(date.getTime()).toZonedDateTimeISO(timeZone);
}

function fromZoned(zoned: Temporal.ZonedDateTime): Date {
  return new Date(zoned.epochMilliseconds);
}
