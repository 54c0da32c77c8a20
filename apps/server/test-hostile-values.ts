/** Everything that a value, or one field of an input, is tried with. Whether the schema takes it is the schema's to say. */
export const hostileTexts: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "a".repeat(4_000),
  "' or 1=1; drop table users --",
  "${7*7}",
  "../../etc/passwd",
  "😀".repeat(50),
  "\u202eabc",
  "__proto__",
  "constructor",
  "ins_00000000000000000000000000",
  "2026-13-45",
  "%_\\",
  "(a+)+$",
  // Base64url of JSON, as cursors are: `[""]`, `null`, `[]`, `[1e300]`, `["\0"]`.
  "WyIiXQ",
  "bnVsbA",
  "W10",
  "WzFlMzAwXQ",
  "WyJcdTAwMDAiXQ",
];
const hostileNumbers = [0, -1, 1.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0, 10n ** 40n, -1n];
const hostileAmounts = [
  { amountMinor: 10n ** 40n, currency: "IDR" },
  { amountMinor: 1n, currency: "\0" },
];
const hostileObjects = [[], {}, [[[]]], ["a"], { $ne: null }, { a: { b: { c: "d" } } }, { "\0": "x" }, { x: "\0" }];
const hostileNames: readonly unknown[] = [{ toString: "x" }, { hasOwnProperty: 1 }];
const hostileDates = [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)];
const others = [null, undefined, true, new Map([["a", 1]]), new Set([1]), /(a+)+$/, new Error("x")];
export const hostileValues: readonly unknown[] = [
  ...hostileTexts,
  ...hostileNumbers,
  ...hostileAmounts,
  ...hostileObjects,
  ...hostileNames,
  ...hostileDates,
  ...others,
];
