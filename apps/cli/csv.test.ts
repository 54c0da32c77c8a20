import fc from "fast-check";
import { expect, test } from "vitest";
import { toCsv } from "./csv.ts";

/** A reader of RFC 4180, written apart from the writer. */
function read(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: string[] = [];
    for (;;) {
      let value = "";
      if (text[at] === '"') {
        for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
          if (text[at] === '"') at += 1;
          value += text[at];
        }
        at += 1;
      } else {
        while (at < text.length && text[at] !== "," && text[at] !== "\r") value += text[at++];
      }
      row.push(value);
      if (text[at] !== ",") break;
      at += 1;
    }
    expect(text.slice(at, at + 2)).toBe("\r\n");
    at += 2;
    rows.push(row);
  }
  return rows;
}

test("whatever stands in a cell comes back, and nothing begins like a formula", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", ",", '"', "\r", "\n", "=", "+", "-", "@", "\t", "1", ".", " "),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (rows) => {
      const [names, ...found] = read(
        toCsv(
          ["a", "b"],
          rows.map(([a, b]) => ({ a, b })),
        ),
      );
      expect(names).toEqual(["a", "b"]);
      expect(found.map((row) => row.map((value) => value.replace(/^'(?=[=+\-@\t\r])/, "")))).toEqual(rows);
      for (const value of found.flat()) {
        expect(/^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value)).toBe(false);
      }
    }),
  );
});

test.each([
  ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
  ["@SUM(1)", '"\'@SUM(1)"'],
  ["-1+2", '"\'-1+2"'],
  [-5n, "-5"],
  ["-12.50", "-12.50"],
  [null, ""],
  [new Date("2026-03-02T03:00:00Z"), "2026-03-02T03:00:00.000Z"],
  ["Kopi, Teh", '"Kopi, Teh"'],
])("%s becomes %s", (value, written) => {
  expect(toCsv(["x"], [{ x: value }])).toBe(`x\r\n${written}\r\n`);
});
