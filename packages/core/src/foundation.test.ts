import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { manualClock } from "./clock.ts";
import { fromPublicId, toPublicId, uuidV7Ids } from "./ids.ts";
import { canonicalJson } from "./json.ts";
import { createKeyring, parseKeyring } from "./keyring.ts";
import { fromMajor, toMajor } from "./money.ts";
import { readIdCursor, toPage } from "./pages.ts";
import { addDays, nextLocalHour, periodAt } from "./periods.ts";

describe("ids", () => {
  const clock = manualClock(new Date("2026-01-01T00:00:00Z"));
  const ids = uuidV7Ids(clock);

  test("sort by the time of their making and are UUIDs of version 7", () => {
    const earlier = ids.next();
    clock.set(new Date("2026-01-01T00:00:01Z"));
    const later = ids.next();
    expect(earlier < later).toBe(true);
    expect(earlier).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("come back from their public form, and only from the form of their own kind", () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(fromPublicId("instance", toPublicId("instance", uuid))).toBe(uuid);
        expect(fromPublicId("order", toPublicId("instance", uuid))).toBeNull();
      }),
    );
  });

  test("whatever else is sent is no id", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = fromPublicId("instance", text);
        expect(read === null || toPublicId("instance", read) === text).toBe(true);
      }),
    );
    expect(fromPublicId("instance", `ins_${"z".repeat(26)}`)).toBeNull();
  });
});

describe("money", () => {
  test("major units come back from minor ones exactly", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 14n), 10n ** 14n), fc.constantFrom("IDR", "USD"), (amountMinor, currency) => {
        expect(fromMajor(toMajor({ amountMinor, currency }), currency)).toEqual({ amountMinor, currency });
      }),
    );
  });

  test.each([
    ["0.5", "IDR"],
    ["1.005", "USD"],
    ["1e3", "USD"],
    ["", "USD"],
    ["1,000", "IDR"],
    ["1", "XXX"],
  ])("%s %s is refused and never rounded", (amount, currency) => {
    expect(() => fromMajor(amount, currency)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});

/** What a calendar and a clock on the wall show. */
function wallOf(date: Date, timeZone: string) {
  const numeric = "numeric" as const;
  const shape = {
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    hourCycle: "h23",
  } as const;
  const parts = new Intl.DateTimeFormat("en", { timeZone, ...shape }).formatToParts(date);
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const [year, month, day] = [read("year"), read("month"), read("day")];
  return { year, month, day, minutes: read("hour") * 60 + read("minute") };
}

describe("periods", () => {
  const anchor = new Date("2026-01-31T05:00:00Z");

  test("T4 months are counted from the anchor, so a short one does not make the next ones short", () => {
    const ends = [0, 1, 2].map((index) => periodAt(anchor, "P1M", "Asia/Jakarta", index).end.toISOString());
    expect(ends).toEqual(["2026-02-28T05:00:00.000Z", "2026-03-31T05:00:00.000Z", "2026-04-30T05:00:00.000Z"]);
  });

  test("T3 T4 periods of a term tile: each begins where the one before ended", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("2020-01-01"), max: new Date("2040-01-01"), noInvalidDate: true }),
        fc.constantFrom("P30D" as const, "P1M" as const),
        fc.constantFrom("Asia/Jakarta", "Europe/Berlin", "America/New_York"),
        fc.nat(40),
        (start, interval, zone, index) => {
          const period = periodAt(start, interval, zone, index);
          expect(period.start < period.end).toBe(true);
          expect(periodAt(start, interval, zone, index + 1).start).toEqual(period.end);
        },
      ),
    );
  });

  test("T3 T4 a period ends on the anchor's day or the last of a shorter month, at the anchor's hour on the wall", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("2020-01-01"), max: new Date("2032-01-01"), noInvalidDate: true }),
        fc.constantFrom(
          "Asia/Jakarta",
          "UTC",
          "America/New_York",
          "Australia/Lord_Howe",
          "Asia/Kathmandu",
          "America/Sao_Paulo",
        ),
        fc.nat(60),
        (start, zone, index) => {
          const from = wallOf(start, zone);
          const to = wallOf(periodAt(start, "P1M", zone, index).end, zone);
          const months = from.year * 12 + (from.month - 1) + index + 1;
          const [year, month] = [Math.floor(months / 12), (months % 12) + 1];
          const day = Math.min(from.day, new Date(Date.UTC(year, month, 0)).getUTCDate());
          expect([to.year, to.month, to.day]).toEqual([year, month, day]);
          // An hour that the clocks leave out on that day is an hour later, or half of one on Lord Howe.
          expect([0, 30, 60]).toContain(to.minutes - from.minutes);
        },
      ),
    );
  });

  test("T3 days keep the hour on the wall over a change of summer time", () => {
    expect(addDays(new Date("2026-03-28T11:00:00Z"), 1, "Europe/Berlin").toISOString()).toBe(
      "2026-03-29T10:00:00.000Z",
    );
  });

  test("the next reminder hour is always ahead", () => {
    expect(nextLocalHour(new Date("2026-03-02T02:00:00Z"), 9, "Asia/Jakarta").toISOString()).toBe(
      "2026-03-03T02:00:00.000Z",
    );
    expect(nextLocalHour(new Date("2026-03-02T01:59:59Z"), 9, "Asia/Jakarta").toISOString()).toBe(
      "2026-03-02T02:00:00.000Z",
    );
  });
});

describe("the keyring", () => {
  const old = { id: "k1", key: Buffer.alloc(32, 1) };
  const recent = { id: "k2", key: Buffer.alloc(32, 2) };

  test("O3 after a change of keys the newest seals, older ones still open, and one that was taken out opens nothing", () => {
    const sealed = createKeyring([old]).seal("secret", "org|ins");
    const both = createKeyring([recent, old]);
    expect(both.open(sealed, "org|ins")).toBe("secret");
    const resealed = both.seal("secret", "org|ins");
    expect(resealed.keyId).toBe("k2");
    const without = createKeyring([recent]);
    expect(without.open(resealed, "org|ins")).toBe("secret");
    expect(() => without.open(sealed, "org|ins")).toThrow("The key k1 is not in the keyring.");
    // Nor does another key that took over its id.
    const impostor = createKeyring([recent, { id: "k1", key: Buffer.alloc(32, 9) }]);
    expect(() => impostor.open(sealed, "org|ins")).toThrow("unable to authenticate data");
  });

  test("what was copied to another organization, or changed, does not open", () => {
    const ring = createKeyring([old]);
    const sealed = ring.seal("secret", "org-a|ins");
    expect(() => ring.open(sealed, "org-b|ins")).toThrow("unable to authenticate data");
    expect(() => ring.open({ ...sealed, sealed: `A${sealed.sealed.slice(1)}` }, "org-a|ins")).toThrow(
      "unable to authenticate data",
    );
  });

  test("a wrong keyring is refused without its key in the message", () => {
    const short = Buffer.alloc(16, 3).toString("base64");
    expect(() => parseKeyring(`k1:${short}`)).toThrow(/^Entry 1/);
    expect(() => parseKeyring(`k1:${short}`)).not.toThrow(short);
  });
});

test("a cursor that a list did not give out is refused as input", () => {
  const { nextCursor } = toPage([{ id: "a" }, { id: "b" }], 1, ({ id }) => [id]);
  expect(nextCursor).not.toBeNull();
  for (const cursor of ["", "x", "W10", nextCursor ?? ""]) {
    expect(() => readIdCursor(cursor)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  }
});

test("equal values have equal canonical JSON whatever the order of their keys", () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: null })).toBe(canonicalJson({ a: null, b: [{ x: 2, y: 1 }] }));
});
