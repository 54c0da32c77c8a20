import { expect, test } from "vitest";
import { addDuration } from "./duration.ts";

test.each([
  ["2026-01-31T10:00:00.000Z", "31 days", "2026-03-03T10:00:00.000Z"],
  ["2026-01-31T10:00:00.000Z", "1 month", "2026-02-28T10:00:00.000Z"],
  ["2028-01-31T10:00:00.000Z", "1 month", "2028-02-29T10:00:00.000Z"],
  ["2026-12-15T10:00:00.000Z", "13 months", "2028-01-15T10:00:00.000Z"],
  ["2028-02-29T10:00:00.000Z", "1 year", "2029-02-28T10:00:00.000Z"],
  ["2026-01-31T10:00:00.000Z", "90m", "2026-01-31T11:30:00.000Z"],
  ["2026-01-31T10:00:00.000Z", "2 Weeks", "2026-02-14T10:00:00.000Z"],
])("%s and %s is %s", (from, duration, then) => {
  expect(addDuration(new Date(from), duration).toISOString()).toBe(then);
});

test.each(["", "soon", "-1 day", "1.5 days", "days", "1 fortnight", "999999 days"])("%j is no duration", (text) => {
  expect(() => addDuration(new Date(0), text)).toThrow(/is no duration/);
});
