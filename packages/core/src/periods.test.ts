import { sql } from "drizzle-orm";
import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { type Interval, periodAt } from "./periods.ts";
import { testCore } from "./testing/test-core.ts";

const runs = 2_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const zones = [
  "Asia/Jakarta",
  "UTC",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "America/Sao_Paulo",
] as const;

const anywhere = fc.date({ min: new Date("2020-01-01"), max: new Date("2032-01-01"), noInvalidDate: true });

/** Where the clocks are put back, and the local hour that then comes twice. */
const putBack = {
  "America/New_York": { month: 11, hour: 1 },
  "Australia/Lord_Howe": { month: 4, hour: 1 },
} as const;

/** Begun some months before, so that a period begins on the first Sunday of the month in which clocks are put back. */
const towardsTwiceTold = fc
  .record({
    timeZone: fc.constantFrom("America/New_York", "Australia/Lord_Howe"),
    year: fc.integer({ min: 2021, max: 2031 }),
    minute: fc.integer({ min: 0, max: 59 }),
    index: fc.integer({ min: 1, max: 11 }),
  })
  .map(({ timeZone, year, minute, index }) => {
    const { month, hour } = putBack[timeZone];
    const firstSunday = 1 + ((7 - new Date(Date.UTC(year, month - 1, 1)).getUTCDay()) % 7);
    const local = Temporal.PlainDateTime.from({ year, month, day: firstSunday, hour, minute });
    const anchor = new Date(local.subtract({ months: index }).toZonedDateTime(timeZone).epochMilliseconds);
    return { anchor, interval: "P1M" as Interval, timeZone, index };
  });

const history = fc.oneof(
  fc.record({
    anchor: anywhere,
    interval: fc.constantFrom<Interval>("P1M", "P30D"),
    timeZone: fc.constantFrom(...zones),
    index: fc.integer({ min: 0, max: 60 }),
  }),
  towardsTwiceTold,
);

function localDay(
  date: Date,
  timeZone: string,
): { readonly year: number; readonly month: number; readonly day: number } {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(date).split("-").map(Number);
  const [year = 0, month = 0, day = 0] = parts;
  return { year, month, day };
}

test(`T3 T4 each period begins where the one before ended, on the anchor's day or the month's last (${runs} runs)`, () => {
  fc.assert(
    fc.property(history, ({ anchor, interval, timeZone, index }) => {
      const period = periodAt(anchor, interval, timeZone, index);
      expect(period.start < period.end).toBe(true);
      expect(periodAt(anchor, interval, timeZone, index + 1).start).toEqual(period.end);
      if (interval === "P30D") return;
      const { year, month, day } = localDay(period.start, timeZone);
      const lastOfMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
      expect(day).toBe(Math.min(localDay(anchor, timeZone).day, lastOfMonth));
    }),
    { numRuns: runs },
  );
});

test(`T3 T4 the database counts periods to the same moment, hours that come twice or never included (${runs} runs)`, async () => {
  await using core = await testCore();
  const batch = fc.array(history, { minLength: 100, maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(batch, async (histories) => {
      const rows = await core.database.drizzle.execute<{ start_ms: string }>(sql`
        select floor(extract(epoch from ((anchor at time zone zone) + n * case kind when 'P1M' then interval '1 month' else interval '30 days' end)
          at time zone zone) * 1000)::text as start_ms
        from rows from (jsonb_to_recordset(${JSON.stringify(
          histories.map(({ anchor, interval, timeZone, index }) => ({
            anchor,
            zone: timeZone,
            kind: interval,
            n: index,
          })),
        )}::jsonb) as (anchor timestamptz, zone text, kind text, n int)) with ordinality as h (anchor, zone, kind, n, position) order by position`);
      for (const [at, { anchor, interval, timeZone, index }] of histories.entries()) {
        const start = periodAt(anchor, interval, timeZone, index).start.toISOString();
        // A term begins when it was paid for, also in the first of two equal hours.
        const inDatabase = index === 0 ? anchor.toISOString() : new Date(Number(rows[at]?.start_ms)).toISOString();
        expect({ anchor, interval, timeZone, index, start }).toEqual({
          anchor,
          interval,
          timeZone,
          index,
          start: inDatabase,
        });
      }
    }),
    { numRuns: Math.ceil(runs / 100) },
  );
}, 120_000);
