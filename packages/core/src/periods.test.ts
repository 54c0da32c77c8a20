import { sql } from "drizzle-orm";
import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { addMs, minuteMs } from "./clock.ts";
import { type Interval, type Period, periodAt } from "./periods.ts";
import { decideSubscription, nextPeriod, type SubscriptionRow } from "./subscriptions/index.ts";
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

interface History {
  readonly anchor: Date;
  readonly interval: Interval;
  readonly timeZone: string;
  readonly index: number;
}
const history: fc.Arbitrary<History> = fc.oneof(
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

test(`T3 T4 F1 each period begins where the one before ended, on the anchor's day or the month's last (${runs} runs)`, () => {
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

/** As renewals do it, period by period, each asked for and paid some minutes early or late. */
function walk({ anchor, interval, timeZone, index }: History, lateMinutes: readonly number[]): readonly Period[] {
  const first = periodAt(anchor, interval, timeZone, 0);
  let row = {
    status: "active",
    billingAnchorAt: anchor,
    interval,
    timeZone,
    periodIndex: 0,
    currentPeriodStart: first.start,
    currentPeriodEnd: first.end,
    pastDueDays: 400,
    cancelAtPeriodEnd: false,
  } as SubscriptionRow;
  const periods = [first];
  let now = anchor;
  for (let step = 0; periods.length <= index && step < 3 * index; step += 1) {
    const late = lateMinutes[periods.length % lateMinutes.length] ?? 0;
    const paidAt = addMs(row.currentPeriodEnd!, late * minuteMs);
    now = now > paidAt ? now : paidAt;
    const facts = {
      subscription: row,
      nextInvoice: { status: "paid", isBeingPaid: false },
      usageInvoice: null,
      instance: { provisioningFailed: false, removed: false },
      parking: { parkedAt: null, unparkedAt: null },
    } as const;
    if (decideSubscription(facts, { orderTtlHours: 24, renewalLeadDays: 7 }, now)?.type !== "advance") {
      // Too early: the paid period waits for its beginning.
      now = row.currentPeriodEnd!;
      continue;
    }
    const { start, end } = nextPeriod(row);
    periods.push({ start, end });
    row = { ...row, periodIndex: row.periodIndex + 1, currentPeriodStart: start, currentPeriodEnd: end };
  }
  return periods;
}

test(`T3 T4 F1 walked from renewal to renewal, early or late, periods are those that are counted from the anchor (${runs} runs)`, () => {
  const late = fc.array(fc.integer({ min: -7 * 24 * 60, max: 70 * 24 * 60 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(history, late, (story, lateMinutes) => {
      const { anchor, interval, timeZone, index } = story;
      const counted = Array.from({ length: index + 1 }, (_, at) => periodAt(anchor, interval, timeZone, at));
      expect(walk(story, lateMinutes)).toEqual(counted);
    }),
    { numRuns: runs },
  );
}, 120_000);

test(`T3 T4 F2 the database counts periods to the same moment, hours that come twice or never included (${runs} runs)`, async () => {
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
